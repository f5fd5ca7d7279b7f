/**
 * Starts the processes of a program and looks after them.
 *
 * They are processes and not threads of one, since a crash in a native module, or memory that runs
 * out, ends all threads: the worker could not tell which records are at fault. A process can also
 * be killed while it hangs in native code, and any native module works in it.
 */

import { type ChildProcess, spawn } from 'node:child_process';

import * as log from './log.js';
import { NUMBER_VARIABLE, now, type Stage, silence, TELL_MS, type Tidings } from './ties.js';

/** Past a batch's deadline. The worker has given the process up by then. */
const GRACE_MS = 2000 + TELL_MS;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const CHECK_MS = 250;

const STAGES: readonly Stage[] = ['started', 'connected', 'useful', 'ended'];

/** Runs as many processes of this program, and ends this one when they have ended. */
export function supervise(count: number): Promise<never> {
  const supervisor = new Supervisor(count);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => supervisor.signalled());
  }
  supervisor.start();
  return new Promise(() => {}); // it ends by the end of this process
}

class Supervisor {
  readonly #children: Child[];
  #signals = 0;
  #ending = false;
  #code = 0;

  constructor(count: number) {
    this.#children = Array.from(
      { length: count },
      (_, number) => new Child(number, () => this.#look()),
    );
  }

  start(): void {
    setInterval(() => this.#look(), CHECK_MS);
    this.#look();
  }

  signalled(): void {
    this.#signals++;
    if (this.#signals > 1) {
      for (const child of this.#children) {
        child.kill();
      }
    }
    this.#look();
  }

  /** Does what it is time for. */
  #look(): void {
    if (!this.#ending) {
      this.#endIfThereIsAReason();
    }
    for (const child of this.#children) {
      child.tend(this.#ending);
    }
    if (this.#children.every((child) => child.over)) {
      process.exit(this.#code);
    }
  }

  #endIfThereIsAReason(): void {
    const reason = this.#reasonToEnd();
    if (reason === undefined) {
      return;
    }
    this.#ending = true;
    log.info(`${reason}: ending as soon as the processes have answered`);
    for (const child of this.#children) {
      child.terminate();
    }
  }

  #reasonToEnd(): string | undefined {
    if (this.#signals > 0) {
      return 'a signal has come';
    }
    const reached = Math.max(...this.#children.map((child) => STAGES.indexOf(child.reached)));
    if (STAGES[reached] === 'ended') {
      return 'the worker has closed';
    }
    // Whoever has started the program learns only by its end that it never works.
    if (STAGES[reached] === 'started' && this.#children.some((child) => child.failed)) {
      this.#code = 1;
      return 'a process has ended, and none has ever connected';
    }
    return undefined;
  }
}

/** One of the processes, over all its starts. */
class Child {
  over = false;
  failed = false;
  /** How far any of its starts has come. */
  reached: Stage = 'started';
  readonly #number: number;
  readonly #changed: () => void;
  #running: ChildProcess | undefined;
  #stage: Stage = 'started';
  #deadline = 0;
  #waits = false;
  /** For how long a process that waits for work has said nothing, as of #lookedAt. */
  #silentMs = 0;
  #lookedAt = 0;
  #startAt = 0;
  #terminated = false;
  #failures = 0;

  constructor(number: number, changed: () => void) {
    this.#number = number;
    this.#changed = changed;
  }

  /** Starts or kills the process, whatever it is time for. */
  tend(ending: boolean): void {
    if (this.over) {
      return;
    }
    if (this.#running === undefined) {
      if (ending) {
        this.over = true;
      } else if (now() >= this.#startAt) {
        this.#start();
      }
    } else if (this.#deadline !== 0 && now() > this.#deadline + GRACE_MS) {
      log.error(
        `process ${this.#number} (pid ${this.#running.pid}) has overrun the deadline of its batch, or of its end: killing it`,
      );
      this.#deadline = 0;
      this.kill();
    } else if (this.#silence() > silence.longestMs) {
      log.error(
        `process ${this.#number} (pid ${this.#running.pid}) is frozen: it waits for work, and has been silent for ${silence.longestMs / 1000} s: killing it`,
      );
      this.#waits = false;
      this.kill();
    }
  }

  /**
   * Returns for how many milliseconds a process that waits for work has said nothing. Time in
   * which the supervisor did not look counts for little: a container that was frozen as a whole
   * has had no silent process.
   */
  #silence(): number {
    const at = now();
    this.#silentMs = this.#waits ? this.#silentMs + Math.min(at - this.#lookedAt, 2 * CHECK_MS) : 0;
    this.#lookedAt = at;
    return this.#silentMs;
  }

  terminate(): void {
    this.#terminated = true;
    this.#running?.kill('SIGTERM');
  }

  kill(): void {
    this.#running?.kill('SIGKILL');
  }

  #start(): void {
    this.#stage = 'started';
    this.#deadline = 0;
    this.#waits = false;
    const running = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      env: { ...process.env, [NUMBER_VARIABLE]: String(this.#number) },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    this.#running = running;
    running.on('message', (message) => this.#heard(message));
    running.on('error', (error) => {
      if (running.pid === undefined) {
        this.#ended(running, error.message); // it could not be started
      }
    });
    running.once('exit', (code, signal) => this.#ended(running, signal ?? `exit code ${code}`));
  }

  #heard(message: unknown): void {
    const { millrace, stage, deadline, waits } = (message ?? {}) as Partial<Tidings>;
    if (millrace !== true || stage === undefined || deadline === undefined) {
      return; // the user's code has sent it
    }
    this.#stage = stage;
    this.#deadline = deadline;
    this.#waits = waits === true;
    this.#silentMs = 0;
    if (STAGES.indexOf(stage) > STAGES.indexOf(this.reached)) {
      this.reached = stage;
      this.#changed();
    }
  }

  #ended(ended: ChildProcess, cause: string): void {
    if (this.#running !== ended) {
      return;
    }
    this.#running = undefined;
    if (this.#stage === 'ended' || this.#terminated) {
      this.over = true;
    } else {
      this.#restartLater(cause);
    }
    this.#changed();
  }

  #restartLater(cause: string): void {
    this.failed = true;
    // A worker that looks for the record that crashes its process has many crashes in a row, and
    // good batches between them.
    if (this.#stage === 'useful') {
      this.#failures = 0;
    }
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures++;
    this.#startAt = now() + wait;
    log.error(
      `process ${this.#number} has ended by ${cause}: starting it again in ${wait / 1000} s`,
    );
  }
}
