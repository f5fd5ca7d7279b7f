/** A process's ties to its supervisor. */

import { hrtime } from 'node:process';

import * as log from './log.js';

/**
 * Returns milliseconds of a clock that all processes of the machine share. Nobody can set it, as
 * people and the user's tests set the one of Date.
 */
export function now(): number {
  return Number(hrtime.bigint() / 1_000_000n);
}

/** How far a process has come. */
export type Stage =
  | 'started'
  | 'connected' // the worker has greeted it
  | 'useful' // it has answered a batch
  | 'ended'; // the worker has closed: it ends for good

/** What a process tells its supervisor. */
export interface Tidings {
  readonly millrace: true;
  readonly stage: Stage;
  /** When the process has to be done with its present work, as of now(); 0 for never. */
  readonly deadline: number;
  /** The process has no work. It says so again and again, as long as it lives. */
  readonly waits: boolean;
}

/** Says to a process which of a supervisor's it is. */
export const NUMBER_VARIABLE = 'MILLRACE_SUPERVISED';

// The supervisor knows the deadline as exactly as that.
export const TELL_MS = 1000;

/** How a process that is frozen while it has no work is found. Tests have less patience. */
export const silence = {
  /** How often a process that waits for work says that it lives. */
  beatMs: 5000,
  /** After how long without such a word it is taken for frozen. The worker has given it up by then. */
  longestMs: 60_000,
};

/** How a process is found that hangs in its end, such as in a processor's close. */
export const ending = {
  /** For how long it may take. */
  longestMs: 60_000,
};

/** What a session says about its process. */
export interface Ties {
  reach(stage: Stage): void;
  /** Says when the earliest of the batches in hand has to be answered; 0 for never. */
  expect(deadline: number): void;
  /** Says that the process has no batch in hand, and waits for one. */
  wait(): void;
}

/** The ties of a process without a supervisor. */
export const FREE: Ties = { reach: () => {}, expect: () => {}, wait: () => {} };

/**
 * Returns the number of this process among a supervisor's; undefined if it is no such. Programs
 * that the user's code starts don't inherit it.
 */
export function takeNumber(): number | undefined {
  const value = process.env[NUMBER_VARIABLE];
  delete process.env[NUMBER_VARIABLE];
  return value === undefined || process.send === undefined ? undefined : Number(value);
}

/**
 * Ties this process to its supervisor, without which it ends.
 *
 * A process whose code is in an endless loop can tell nothing, so the supervisor has to know the
 * deadline before. Messages about each batch would cost more than light batches do; so there is
 * one when a batch comes and the last message is a second old, and one in each second. A process
 * that was seen without a batch then says when it has one.
 */
export function tieToSupervisor(): Ties {
  let stage: Stage = 'started';
  let deadline = 0;
  let waits = false;
  let [toldDeadline, toldWaits, toldAt] = [0, false, 0];

  function tell(): void {
    const tidings: Tidings = { millrace: true, stage, deadline, waits };
    [toldDeadline, toldWaits, toldAt] = [deadline, waits, now()];
    // A failure means that the supervisor is gone, and the channel's end says that too.
    process.send?.(tidings, undefined, undefined, () => {});
  }

  process.once('disconnect', () => {
    log.error('the first process of this program is gone: ending');
    process.exit(1);
  });
  setInterval(
    () => {
      const isNews = deadline !== toldDeadline || waits !== toldWaits;
      if (isNews || (waits && now() - toldAt >= silence.beatMs)) {
        tell();
      }
    },
    Math.min(TELL_MS, silence.beatMs),
  ).unref();
  return {
    reach(reached) {
      if (stage !== reached) {
        stage = reached;
        tell();
      }
    },
    expect(next) {
      deadline = next;
      waits = false;
      const isNews =
        next !== 0 && (toldDeadline === 0 || next < toldDeadline || now() - toldAt > TELL_MS);
      // The supervisor must not wait for a word from code that may run for long.
      if (isNews || toldWaits) {
        tell();
      }
    },
    wait() {
      deadline = 0;
      waits = true;
    },
  };
}
