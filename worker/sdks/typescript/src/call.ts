/** Calls a user's function on the records of a batch. */

import { setImmediate } from 'node:timers/promises';

import { type Answer, SEND_MS } from './answer.js';
import type { InputRecord } from './record.js';
import { kindOf } from './values.js';

/**
 * Calls a function for all records of an answer, under an ordering of the protocol, and puts the
 * results into the answer. It calls started when no further call is begun; the promise is
 * fulfilled when none runs any more.
 */
export type Call = (answer: Answer, ordering: string, started: () => void) => Promise<void>;

type RecordFunction = (record: InputRecord) => unknown;
type BatchFunction = (records: InputRecord[]) => unknown;

/**
 * Calls a function on one record after another. Calls that return promises run at the same time,
 * other than on records whose order counts.
 */
export function each(process: RecordFunction): Call {
  return (answer, ordering, started) => new Calls(process, answer, ordering).run(started);
}

class Calls {
  readonly #process: RecordFunction;
  readonly #answer: Answer;
  readonly #ordering: string;
  /** For each lane with a call that runs, the places of the records that wait for its end. */
  readonly #lanes = new Map<string, number[]>();
  #running = 0;
  #onIdle: (() => void) | undefined;

  constructor(process: RecordFunction, answer: Answer, ordering: string) {
    this.#process = process;
    this.#answer = answer;
    this.#ordering = ordering;
  }

  async run(started: () => void): Promise<void> {
    await this.#startAll();
    started();
    if (this.#running > 0) {
      this.#answer.flushSoon();
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  async #startAll(): Promise<void> {
    const pause = new Pause();
    const count = this.#answer.records.length;
    for (let index = 0; index < count && !this.#answer.failed; index++) {
      const waiting = this.#lanes.size > 0 ? this.#lanes.get(this.#laneOf(index)) : undefined;
      if (waiting) {
        waiting.push(index);
      } else {
        this.#call(index);
      }
      if (pause.isDue()) {
        this.#answer.flush();
        await setImmediate(); // for signals, the connection and the user's timers
        pause.restart();
      }
    }
  }

  /** Calls the function. It reports whether the call runs on. */
  #call(index: number): boolean {
    try {
      const result = this.#process(this.#answer.records[index]!);
      if (isThenable(result)) {
        this.#await(index, result);
        return true;
      }
      this.#answer.put(index, result);
    } catch (error) {
      this.#answer.fail(index, error);
    }
    return false;
  }

  #await(index: number, promise: PromiseLike<unknown>): void {
    this.#running++;
    const lane = this.#laneOf(index);
    if (!this.#lanes.has(lane)) {
      this.#lanes.set(lane, []);
    }
    Promise.resolve(promise).then(
      (result) => {
        this.#answer.put(index, result);
        this.#settled(lane);
      },
      (error: unknown) => {
        this.#answer.fail(index, error);
        this.#settled(lane);
      },
    );
  }

  #settled(lane: string): void {
    this.#answer.flushSoon();
    const waiting = this.#lanes.get(lane)!;
    for (let goesOn = false; !goesOn; ) {
      const next = this.#answer.failed ? undefined : waiting.shift();
      if (next === undefined) {
        this.#lanes.delete(lane);
        break;
      }
      goesOn = this.#call(next);
    }
    this.#running--;
    if (this.#running === 0) {
      this.#onIdle?.();
    }
  }

  /** Names the lane of a record: those in the same one are in order. */
  #laneOf(index: number): string {
    const { partition, key } = this.#answer.records[index]!;
    if (this.#ordering === 'Unordered' || (this.#ordering === 'Key' && key === null)) {
      return `record ${index}`;
    }
    return this.#ordering === 'Key'
      ? `key ${partition} ${key!.toString('latin1')}`
      : `partition ${partition}`;
  }
}

/** Calls a function on all records at once. */
export function batch(process: BatchFunction): Call {
  return async (answer, _ordering, started) => {
    try {
      const results = process(answer.records.slice());
      started();
      putAll(answer, await results);
    } catch (error) {
      started();
      answer.failAll(error);
    }
  };
}

function putAll(answer: Answer, results: unknown): void {
  const count = answer.records.length;
  if (!Array.isArray(results)) {
    throw new TypeError(
      `the batch function returned ${kindOf(results)}: it has to return a list with one item for each record`,
    );
  }
  if (results.length !== count) {
    throw new RangeError(
      `the batch function returned ${results.length} results for ${count} records: it has to return one for each, which may be null or a list`,
    );
  }
  for (let index = 0; index < count && !answer.failed; index++) {
    const result: unknown = results[index];
    if (result instanceof Error) {
      answer.fail(index, result);
    } else {
      answer.put(index, result);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Says when it is time for a pause. It looks at the clock rarely while calls are short. */
class Pause {
  #last = performance.now();
  #due = this.#last + SEND_MS;
  #calls = 0;
  #stride = 1;

  isDue(): boolean {
    if (++this.#calls < this.#stride) {
      return false;
    }
    const now = performance.now();
    this.#stride = now - this.#last < 1 ? Math.min(2 * this.#stride, 64) : 1;
    this.#last = now;
    this.#calls = 0;
    return now >= this.#due;
  }

  restart(): void {
    this.#last = performance.now();
    this.#due = this.#last + SEND_MS;
  }
}
