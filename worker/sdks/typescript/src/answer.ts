/** The results of one batch, as they are made. */

import { failureOf } from './failure-message.js';
import { type Parts, partsOf, SAME } from './output.js';
import { Kind, LENGTH_BYTES, type v1 } from './protocol.js';
import type { InputRecord } from './record.js';
import { frameOf, lengthOf, longOf, ResultsFrame } from './results-frame.js';
import type { Batch } from './worker-frame.js';

/**
 * Results that wait to be sent are sent when they have this size, or between two records when they
 * are this old. Then a crash repeats little.
 */
const SEND_BYTES = 1 << 20;
export const SEND_MS = 50;

/** Sends a frame of Results. */
export type Send = (frame: Buffer) => void;

/**
 * Collects the results of a batch and sends them.
 *
 * All results of a batch have to fit into the worker's largest frame. Once they don't, `failed`
 * is true, and calling the function for the rest of the batch is of no use.
 */
export class Answer {
  readonly records: InputRecord[];
  #failed: v1.Failure.$Properties | undefined;
  #frame = new ResultsFrame();
  #sentBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #batch: bigint;
  readonly #largest: number;
  readonly #send: Send;

  constructor(batch: Batch, largest: number, send: Send) {
    this.records = batch.records;
    this.#batch = batch.id;
    this.#largest = largest;
    this.#send = send;
  }

  get failed(): boolean {
    return this.#failed !== undefined;
  }

  /** Adds the results of a record, or the failure that they are not of a known type. */
  put(index: number, result: unknown): void {
    try {
      this.#put(index, result);
    } catch (error) {
      this.fail(index, error);
    }
  }

  /** Adds the failure of a record. */
  fail(index: number, error: unknown): void {
    if (!this.failed) {
      this.#frame.put({ index, failure: failureOf(error) });
      this.#added();
    }
  }

  /** Fails the batch, without a record at fault if it has several. */
  failAll(error: unknown): void {
    this.#failed ??= failureOf(error);
  }

  /** Sends the results so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.failed || this.#frame.size === 0) {
      return;
    }
    const frame = this.#frame.finish(this.#batch);
    this.#frame = new ResultsFrame();
    this.#sendWithinLimit(frame);
  }

  /** Sees to it that the results so far are sent soon. */
  flushSoon(): void {
    this.#timer ??= setTimeout(() => this.flush(), SEND_MS);
  }

  /**
   * Sends what is left, when no call of the function runs any more. The failure of a batch comes
   * only now: the worker tries its records again at once, which must not overlap with these calls.
   */
  end(): void {
    this.flush();
    if (this.#failed === undefined) {
      return;
    }
    const batch = longOf(this.#batch);
    const alone = this.records.length === 1;
    const results: v1.Results.$Properties = alone
      ? { batch, results: [{ index: 0, failure: this.#failed }] }
      : { batch, failure: this.#failed };
    this.#send(frameOf({ results }));
  }

  #put(index: number, result: unknown): void {
    if (this.failed) {
      return;
    }
    if (result === null || result === undefined) {
      this.#frame.putFiltered(index);
    } else if (typeof result === 'string' || result instanceof Uint8Array) {
      const length = lengthOf(result);
      if (!this.#fits(length)) {
        return;
      }
      this.#frame.putValue(index, result, length);
    } else if (result === this.records[index]) {
      this.#frame.putSame(index);
    } else {
      const outputs = outputsOf(result, this.records[index]!);
      if (!this.#fits(outputs.reduce((total, parts) => total + sizeOf(parts), 0))) {
        return;
      }
      this.#frame.putOutputs(index, outputs);
    }
    this.#added();
  }

  #added(): void {
    if (this.#frame.size >= SEND_BYTES) {
      this.flush();
    }
  }

  #sendWithinLimit(frame: Buffer): void {
    const size = frame.length - LENGTH_BYTES;
    if (this.#fits(size)) {
      this.#sentBytes += size;
      this.#send(frame);
    }
  }

  /** Whether the worker takes as many bytes more. If it does not, the batch has failed. */
  #fits(bytes: number): boolean {
    if (this.#sentBytes + this.#frame.size + bytes <= this.#largest) {
      return true;
    }
    const message = `the results have more than ${this.#largest} bytes, which the worker refuses`;
    const kind = this.records.length === 1 ? Kind.PERMANENT : Kind.RETRY;
    this.#failed = { kind, message };
    return false;
  }
}

function outputsOf(result: unknown, record: InputRecord): Parts[] {
  return Array.isArray(result)
    ? result.map((one) => partsOf(one, record))
    : [partsOf(result, record)];
}

/** Returns the bytes of the large parts of an output. */
function sizeOf({ value, key, headers }: Parts): number {
  const length = (part: typeof value) => (part === SAME || part === null ? 0 : lengthOf(part));
  let size = length(value) + length(key);
  if (headers !== SAME) {
    for (const [name, content] of headers) {
      size += name.length + length(content);
    }
  }
  return size;
}
