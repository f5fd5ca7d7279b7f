/** What users write: processors of records and of batches. */

import { batch, type Call, each } from './call.js';
import type { Result } from './output.js';
import type { InputRecord } from './record.js';
import { kindOf } from './values.js';

/** What a processor wants of a batch. The manifest goes first where it sets the same. */
export interface Limits {
  /** The most records of a batch. */
  readonly maxRecords?: number;
  /** The most bytes of a batch, in keys, values and headers. */
  readonly maxBytes?: number;
  /** How many milliseconds the worker may wait for a full batch. */
  readonly lingerMs?: number;
}

/** The parts that processors of records and of batches have in common. */
export interface Common<State> extends Limits {
  /** Makes the state of a process, before it gets records. */
  setup?(): State | Promise<State>;
  /** Ends the state, when the process ends in good order. */
  close?(state: State): void | Promise<void>;
}

/** A processor of single records. */
export interface RecordProcessor<State = unknown> extends Common<State> {
  /** Returns what becomes of a record. An error is a failed attempt. */
  process(record: InputRecord, state: State): Result | Promise<Result>;
}

/** For each record its result, or an error for its failure. */
export type BatchResult = readonly (Result | Error)[];

/** A processor of batches. */
export interface BatchProcessor<State = unknown> extends Common<State> {
  /**
   * Returns a list with the result of each record, or with an error for a failed one. An error
   * that it throws fails the batch, and the worker tries smaller ones.
   */
  processBatch(records: InputRecord[], state: State): BatchResult | Promise<BatchResult>;
}

/** A function that can be run as a processor. */
export type ProcessFunction = (record: InputRecord) => Result | Promise<Result>;

export type Processor<State = unknown> = RecordProcessor<State> | BatchProcessor<State>;

/** Checks a processor, and returns it. The type of its state is that which setup returns. */
export function processor<State>(definition: RecordProcessor<State>): RecordProcessor<State>;
export function processor<State>(definition: BatchProcessor<State>): BatchProcessor<State>;
export function processor<State>(definition: Processor<State>): Processor<State> {
  check(definition);
  return definition;
}

/** The limits in the protocol's form: 0 leaves one to the manifest. */
export interface Wishes {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly lingerMs: number;
}

/** A processor whose state is made. */
export interface Started {
  readonly call: Call;
  close(): Promise<void>;
}

/** Returns the processor that users hand in, which may be a function. */
export function definitionOf<State>(target: ProcessFunction | Processor<State>): Processor<State> {
  const definition = typeof target === 'function' ? { process: target } : target;
  check(definition);
  return definition;
}

/** Returns what a processor wants of a batch. */
export function wishesOf(definition: Limits): Wishes {
  return {
    maxRecords: limit('maxRecords', definition.maxRecords, 1, 2 ** 32 - 1),
    maxBytes: limit('maxBytes', definition.maxBytes, 1, Number.MAX_SAFE_INTEGER),
    lingerMs: limit('lingerMs', definition.lingerMs, 0, 2 ** 32 - 1),
  };
}

/** Makes the state of a processor. */
export async function start<State>(definition: Processor<State>): Promise<Started> {
  const state = (await definition.setup?.()) as State;
  const call = isBatch(definition)
    ? batch((records) => definition.processBatch(records, state))
    : each((record) => definition.process(record, state));
  return {
    call,
    close: async () => {
      await definition.close?.(state);
    },
  };
}

function check(definition: unknown): asserts definition is Processor {
  if (typeof definition !== 'object' || definition === null) {
    throw new TypeError(
      `the processor is ${kindOf(definition)}: it has to be a function, or an object with process or processBatch`,
    );
  }
  const { process, processBatch, setup, close } = definition as Partial<
    RecordProcessor & BatchProcessor
  >;
  if ((typeof process === 'function') === (typeof processBatch === 'function')) {
    throw new TypeError('a processor has to have one of the functions process and processBatch');
  }
  for (const [name, part] of Object.entries({ setup, close })) {
    if (part !== undefined && typeof part !== 'function') {
      throw new TypeError(`the processor's ${name} is ${kindOf(part)}: it has to be a function`);
    }
  }
  wishesOf(definition as Limits);
}

function isBatch<State>(definition: Processor<State>): definition is BatchProcessor<State> {
  return 'processBatch' in definition && typeof definition.processBatch === 'function';
}

function limit(name: string, value: unknown, least: number, most: number): number {
  if (value === undefined) {
    return 0;
  }
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new RangeError(
      `the processor's ${name} is ${String(value)}: it has to be a whole number from ${least} to ${most}`,
    );
  }
  return value as number;
}
