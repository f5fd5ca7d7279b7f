/**
 * Encodes the results of a batch.
 *
 * Results are written straight into the frame, with the fewest steps for those that most records
 * have: an output's value with the record's key and headers, the record as it is, and none. The
 * generated code, which makes several objects for each part of a message, encodes only failures.
 */

import Long from 'long';
import { type Parts, SAME } from './output.js';
import { LENGTH_BYTES, ProcessFrame, Result, type v1 } from './protocol.js';

// The tags are the fields' numbers, and 2 in the low bits for bytes that follow their length.
const RESULTS_IN_FRAME = 0x12;
const BATCH_IN_RESULTS = 0x08;
const RESULT_IN_RESULTS = 0x12;
const INDEX_IN_RESULT = 0x08;
const OUTPUT_IN_RESULT = 0x12;
const VALUE_IN_OUTPUT = 0x0a;
const KEY_IN_OUTPUT = 0x12;
const HEADER_IN_OUTPUT = 0x1a;
const TOPIC_IN_OUTPUT = 0x22;
const TIMESTAMP_IN_OUTPUT = 0x28;
const NAME_IN_HEADER = 0x0a;
const VALUE_IN_HEADER = 0x12;
const SAME_KEY = 0x30;
const SAME_VALUE = 0x38;
const SAME_HEADERS = 0x40;

/** Text of so many characters, such as a key, costs less here than a call of Node's code. */
const SHORT_TEXT = 32;

const FLAG_BYTES = 2;
const MAX_VARINT_BYTES = 5;
const MAX_VARINT64_BYTES = 10;
/** In front of the results: the frame's length, the tag and length of Results, the batch. */
const HEAD_BYTES = LENGTH_BYTES + 1 + MAX_VARINT_BYTES + 1 + MAX_VARINT64_BYTES;
const FIRST_BYTES = 16 << 10;

/** The most bytes that a result has beside an output's value. */
const OVERHEAD_BYTES = 32;

/** A frame of Results that grows. */
export class ResultsFrame {
  #buffer: Buffer;
  #end = HEAD_BYTES;

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)) {
    this.#buffer = buffer;
  }

  /** The bytes of the results so far. */
  get size(): number {
    return this.#end - HEAD_BYTES;
  }

  /** Adds a result without outputs. */
  putFiltered(index: number): void {
    this.#reserve(OVERHEAD_BYTES);
    this.#byte(RESULT_IN_RESULTS);
    this.#byte(1 + varintBytes(index));
    this.#byte(INDEX_IN_RESULT);
    this.#varint(index);
  }

  /** Adds a result whose output is the input record. */
  putSame(index: number): void {
    this.#reserve(OVERHEAD_BYTES);
    this.#beginOutput(index, 6);
    this.#flag(SAME_KEY);
    this.#flag(SAME_VALUE);
    this.#flag(SAME_HEADERS);
  }

  /** Adds a result whose output has a value of that length, and the record's key and headers. */
  putValue(index: number, value: string | Uint8Array, length: number): void {
    this.#reserve(OVERHEAD_BYTES + length);
    this.#beginOutput(index, 1 + varintBytes(length) + length + 4);
    this.#bytes(VALUE_IN_OUTPUT, value, length);
    this.#flag(SAME_KEY);
    this.#flag(SAME_HEADERS);
  }

  /** Adds a result with these outputs. */
  putOutputs(index: number, outputs: readonly Parts[]): void {
    const lengths = outputs.map(outputLength);
    let length = 1 + varintBytes(index);
    for (const one of lengths) {
      length += fieldBytes(one);
    }
    this.#reserve(OVERHEAD_BYTES + length);
    this.#byte(RESULT_IN_RESULTS);
    this.#varint(length);
    this.#byte(INDEX_IN_RESULT);
    this.#varint(index);
    for (let i = 0; i < outputs.length; i++) {
      this.#byte(OUTPUT_IN_RESULT);
      this.#varint(lengths[i]!);
      this.#output(outputs[i]!);
    }
  }

  #output({ value, key, headers, topic, timestamp }: Parts): void {
    if (value !== SAME && value !== null) {
      this.#bytes(VALUE_IN_OUTPUT, value, lengthOf(value));
    }
    if (key !== SAME && key !== null) {
      this.#bytes(KEY_IN_OUTPUT, key, lengthOf(key));
    }
    if (headers !== SAME) {
      for (const header of headers) {
        this.#byte(HEADER_IN_OUTPUT);
        this.#varint(headerLength(header));
        const [name, content] = header;
        this.#bytes(NAME_IN_HEADER, name, name.length);
        if (content !== null) {
          this.#bytes(VALUE_IN_HEADER, content, content.length);
        }
      }
    }
    if (topic !== '') {
      this.#bytes(TOPIC_IN_OUTPUT, topic, lengthOf(topic));
    }
    if (timestamp !== undefined) {
      const number = varint64(BigInt.asUintN(64, BigInt(timestamp)));
      this.#byte(TIMESTAMP_IN_OUTPUT);
      this.#buffer.set(number, this.#end);
      this.#end += number.length;
    }
    if (key === SAME) {
      this.#flag(SAME_KEY);
    }
    if (value === SAME) {
      this.#flag(SAME_VALUE);
    }
    if (headers === SAME) {
      this.#flag(SAME_HEADERS);
    }
  }

  /** Adds any result. */
  put(result: v1.Result.$Properties): void {
    const content = Result.encode(result).finish();
    this.#reserve(OVERHEAD_BYTES + content.length);
    this.#byte(RESULT_IN_RESULTS);
    this.#varint(content.length);
    this.#buffer.set(content, this.#end);
    this.#end += content.length;
  }

  /** Returns the frame of these results of a batch. It is a part of the memory of this one. */
  finish(batch: bigint): Buffer {
    const id = varint64(batch);
    const length = 1 + id.length + this.size;
    const start = HEAD_BYTES - (LENGTH_BYTES + 1 + varintBytes(length) + 1 + id.length);
    const end = this.#end;
    this.#end = start + LENGTH_BYTES;
    this.#byte(RESULTS_IN_FRAME);
    this.#varint(length);
    this.#byte(BATCH_IN_RESULTS);
    this.#buffer.set(id, this.#end);
    this.#buffer.writeUInt32BE(end - start - LENGTH_BYTES, start);
    this.#end = end;
    return this.#buffer.subarray(start, end);
  }

  #beginOutput(index: number, length: number): void {
    const outputBytes = 1 + varintBytes(length) + length;
    this.#byte(RESULT_IN_RESULTS);
    this.#varint(1 + varintBytes(index) + outputBytes);
    this.#byte(INDEX_IN_RESULT);
    this.#varint(index);
    this.#byte(OUTPUT_IN_RESULT);
    this.#varint(length);
  }

  /** Writes a field of text, or of bytes. */
  #bytes(tag: number, content: string | Uint8Array, length: number): void {
    this.#byte(tag);
    this.#varint(length);
    if (typeof content !== 'string') {
      this.#buffer.set(content, this.#end);
      this.#end += length;
    } else if (length <= SHORT_TEXT && length === content.length) {
      // It is ASCII: all other characters have more bytes than they count in a text's length.
      for (let i = 0; i < length; i++) {
        this.#byte(content.charCodeAt(i));
      }
    } else {
      this.#buffer.write(content, this.#end);
      this.#end += length;
    }
  }

  #flag(tag: number): void {
    this.#byte(tag);
    this.#byte(1);
  }

  #byte(byte: number): void {
    this.#buffer[this.#end++] = byte;
  }

  #varint(number: number): void {
    while (number > 0x7f) {
      this.#byte((number & 0x7f) | 0x80);
      number >>>= 7;
    }
    this.#byte(number);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) {
      return;
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** Returns the frame of a message. */
export function frameOf(message: v1.ProcessFrame.$Properties): Buffer {
  const content = ProcessFrame.encode(message).finish();
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + content.length);
  frame.writeUInt32BE(content.length);
  frame.set(content, LENGTH_BYTES);
  return frame;
}

/** Returns the bytes of an output's message. */
function outputLength({ value, key, headers, topic, timestamp }: Parts): number {
  let length = partLength(value) + partLength(key);
  if (headers === SAME) {
    length += FLAG_BYTES;
  } else {
    for (const header of headers) {
      length += fieldBytes(headerLength(header));
    }
  }
  if (topic !== '') {
    length += fieldBytes(lengthOf(topic));
  }
  if (timestamp !== undefined) {
    length += 1 + varint64(BigInt.asUintN(64, BigInt(timestamp))).length;
  }
  return length;
}

function partLength(part: string | Uint8Array | null | typeof SAME): number {
  if (part === SAME) {
    return FLAG_BYTES;
  }
  return part === null ? 0 : fieldBytes(lengthOf(part));
}

function headerLength([name, value]: readonly [Uint8Array, Uint8Array | null]): number {
  return fieldBytes(name.length) + (value === null ? 0 : fieldBytes(value.length));
}

/** Returns the bytes of a field whose content has so many. */
function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

/** Returns the bytes that a value takes. */
export function lengthOf(value: string | Uint8Array): number {
  if (typeof value !== 'string') {
    return value.length;
  }
  return value.length <= SHORT_TEXT && isASCII(value) ? value.length : Buffer.byteLength(value);
}

function isASCII(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) {
      return false;
    }
  }
  return true;
}

/** Returns the message's form of a 64-bit number. */
export function longOf(value: bigint): Long {
  return Long.fromBigInt(value, true);
}

function varintBytes(number: number): number {
  return number < 1 << 7
    ? 1
    : number < 1 << 14
      ? 2
      : number < 1 << 21
        ? 3
        : number < 1 << 28
          ? 4
          : 5;
}

function varint64(number: bigint): Uint8Array {
  const bytes: number[] = [];
  for (; number > 0x7fn; number >>= 7n) {
    bytes.push(Number(number & 0x7fn) | 0x80);
  }
  bytes.push(Number(number));
  return Uint8Array.from(bytes);
}
