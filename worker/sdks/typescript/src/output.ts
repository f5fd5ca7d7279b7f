/** The results that a processor returns. */

import { Header, InputRecord } from './record.js';
import { bytesOf, kindOf, milliseconds, octets } from './values.js';

/** A header to write: one of a record, or a name and a value. */
export type OutputHeader =
  | Header
  | readonly [name: string | Uint8Array, value: string | Uint8Array | null];

/**
 * One record to write. A part that is left out is the input record's, and a topic that is left
 * out is the manifest's output topic.
 *
 * Text is encoded as UTF-8. null is Kafka's null, and never the same as an empty value.
 */
export type Output = {
  readonly key?: string | Uint8Array | null;
  readonly headers?: Iterable<OutputHeader>;
  readonly topic?: string;
  /** A Date, or milliseconds since 1970. */
  readonly timestamp?: Date | number;
} & (
  | { readonly value?: string | Uint8Array | null; readonly json?: never }
  /** A value to write as JSON. */
  | { readonly json: unknown; readonly value?: never }
);

/** What stands for one record to write: a value, an output, or a record as it is. */
export type Single = string | Uint8Array | Output | InputRecord;

/**
 * What a function may return for a record: nothing or null filters it, text and bytes are the
 * value of one output, the record itself is written as it is, and a list holds any number of
 * outputs.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function without a return has it
export type Result = Single | readonly Single[] | null | undefined | void;

/** Stands for a part of the input record. */
export const SAME = Symbol('same');

type Content = string | Uint8Array | null;

/** The checked parts of one record to write. */
export interface Parts {
  value: Content | typeof SAME;
  key: Content | typeof SAME;
  headers: readonly (readonly [Uint8Array, Uint8Array | null])[] | typeof SAME;
  topic: string;
  timestamp: number | undefined;
}

const NAMES = 'value, json, key, headers, topic and timestamp';

/** Returns the parts of what a function returned for a record. It throws an error for others. */
export function partsOf(result: unknown, record: InputRecord): Parts {
  if (typeof result === 'string' || result instanceof Uint8Array) {
    return { ...same(), value: result };
  }
  if (result === record) {
    return same();
  }
  if (result instanceof InputRecord) {
    return ofOtherRecord(result);
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw new TypeError(
      `the function returned ${kindOf(result)}: a result has to be null, a string, a Uint8Array,` +
        ' an output, the record, or a list of these without null',
    );
  }
  return ofOutput(result);
}

function same(): Parts {
  return { value: SAME, key: SAME, headers: SAME, topic: '', timestamp: undefined };
}

function ofOtherRecord(record: InputRecord): Parts {
  const { value, key, timestamp } = record;
  const headers = record.headers.map(pairOf);
  return { value, key, headers, topic: '', timestamp: timestamp ?? undefined };
}

/** Reads an output. A misspelled name must not pass the record on as it is. */
function ofOutput(output: object): Parts {
  const parts = same();
  let found = false;
  for (const name of Object.keys(output)) {
    const part: unknown = (output as { [name: string]: unknown })[name];
    if (part === undefined) {
      throw new TypeError(
        `the output's ${name} is undefined: leave it out to take the input record's`,
      );
    }
    found = true;
    set(parts, name, part);
  }
  if (!found) {
    throw new TypeError(
      `the function returned ${kindOf(output)} without a part of an output, which are ${NAMES};` +
        ' the record itself is written as it is',
    );
  }
  return parts;
}

function set(parts: Parts, name: string, part: unknown): void {
  switch (name) {
    case 'value':
    case 'json':
      if (parts.value !== SAME) {
        throw new TypeError('the output has a value and json: it can have one of them');
      }
      parts.value = name === 'json' ? jsonOf(part) : octets('value', part);
      break;
    case 'key':
      parts.key = octets('key', part);
      break;
    case 'headers':
      parts.headers = headersOf(part);
      break;
    case 'topic':
      if (typeof part !== 'string') {
        throw new TypeError(`the topic is ${kindOf(part)}: it has to be a string`);
      }
      parts.topic = part;
      break;
    case 'timestamp':
      parts.timestamp = milliseconds('timestamp', part);
      break;
    default:
      throw new TypeError(`an output has no ${name}: its parts are ${NAMES}`);
  }
}

function jsonOf(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`the output's json is ${kindOf(value)}, which JSON does not have`);
  }
  return text;
}

export function headersOf(headers: unknown): [Uint8Array, Uint8Array | null][] {
  if (typeof headers !== 'object' || headers === null || !(Symbol.iterator in headers)) {
    throw new TypeError(
      `the headers are ${kindOf(headers)}: they have to be a list of pairs of a name and a value`,
    );
  }
  return Array.from(headers as Iterable<unknown>, pairOf);
}

function pairOf(header: unknown): [Uint8Array, Uint8Array | null] {
  if (header instanceof Header) {
    return [header.nameBytes, header.value];
  }
  if (!Array.isArray(header) || header.length !== 2) {
    throw new TypeError(
      `a header is ${kindOf(header)}: it has to be a pair of a name and a value, or a record's`,
    );
  }
  const name = bytesOf("header's name", header[0]);
  if (name === null) {
    throw new TypeError("the header's name is null: it has to be a string or a Uint8Array");
  }
  return [name, bytesOf('header', header[1])];
}
