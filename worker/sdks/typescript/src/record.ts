/** The records that a processor is handed. */

import { inspect } from 'node:util';

import type Long from 'long';
import protobuf from 'protobufjs/minimal.js';

import { Malformed } from './failures.js';
import { ProtocolError } from './protocol.js';

const VARINT = 0;
const BYTES = 2;
const ABSENT = -1;

const NO_HEADERS: readonly Header[] = Object.freeze([]);

// It refuses what is not UTF-8, and keeps a byte order mark.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A header of a record. Names may repeat. */
export class Header {
  /** The bytes of the name. They are mostly UTF-8, but Kafka does not check it. */
  readonly nameBytes: Buffer;
  /** The value. null is Kafka's null. */
  readonly value: Buffer | null;

  /** @internal */
  constructor(nameBytes: Buffer, value: Buffer | null) {
    this.nameBytes = nameBytes;
    this.value = value;
  }

  /** The name as text. Bytes that are not UTF-8 show as U+FFFD. */
  get name(): string {
    return this.nameBytes.toString();
  }
}

/**
 * A record of Kafka. A key, a value or a header's value that is null is Kafka's null, and never
 * the same as an empty one.
 *
 * Keys, values and headers are made when they are asked for, since most processors need few of
 * them. They are parts of the memory of their batch: who keeps one for long keeps the batch, and
 * copies it instead, with Buffer.from.
 */
export class InputRecord {
  readonly topic: string;
  readonly partition: number;
  /** The number of this attempt, from 1. */
  readonly attempt: number;

  // The message, and the places of its fields in it.
  readonly #content: Buffer;
  readonly #offsetAt: number;
  readonly #timestampAt: number;
  readonly #keyAt: number;
  readonly #keyEnd: number;
  readonly #valueAt: number;
  readonly #valueEnd: number;
  /** The beginnings and the ends of the headers. */
  readonly #headersAt: readonly number[] | undefined;

  #key: Buffer | null | undefined;
  #value: Buffer | null | undefined;
  #headers: readonly Header[] | undefined;

  /**
   * Reads the message that ends at a place, in a batch with a topic. It looks at each field once,
   * so that a message that is not Protobuf is found here.
   *
   * @internal
   */
  constructor(reader: protobuf.Reader, end: number, batchTopic: string) {
    let topic = batchTopic;
    let [partition, attempt] = [0, 0];
    let [offsetAt, timestampAt] = [ABSENT, ABSENT];
    let [keyAt, keyEnd, valueAt, valueEnd] = [ABSENT, ABSENT, ABSENT, ABSENT];
    let headersAt: number[] | undefined;
    while (reader.pos < end) {
      const tag = reader.uint32();
      switch (tag) {
        case (1 << 3) | VARINT:
          partition = reader.int32();
          break;
        case (2 << 3) | VARINT:
          offsetAt = reader.pos;
          reader.skipType(VARINT);
          break;
        case (3 << 3) | VARINT:
          timestampAt = reader.pos;
          reader.skipType(VARINT);
          break;
        case (4 << 3) | BYTES:
          keyEnd = endOf(reader, end);
          keyAt = reader.pos;
          reader.pos = keyEnd;
          break;
        case (5 << 3) | BYTES:
          valueEnd = endOf(reader, end);
          valueAt = reader.pos;
          reader.pos = valueEnd;
          break;
        case (6 << 3) | BYTES: {
          const headerEnd = endOf(reader, end);
          headersAt ??= [];
          headersAt.push(reader.pos, headerEnd);
          skim(reader, headerEnd);
          break;
        }
        case (7 << 3) | VARINT:
          attempt = reader.uint32();
          break;
        case (8 << 3) | BYTES:
          topic = reader.string() || batchTopic;
          break;
        default:
          skipUnknown(reader, tag);
      }
    }
    if (reader.pos !== end) {
      throw new ProtocolError('a field goes beyond the end of its message');
    }
    this.topic = topic;
    this.partition = partition;
    this.attempt = attempt;
    this.#content = reader.buf as Buffer;
    this.#offsetAt = offsetAt;
    this.#timestampAt = timestampAt;
    this.#keyAt = keyAt;
    this.#keyEnd = keyEnd;
    this.#valueAt = valueAt;
    this.#valueEnd = valueEnd;
    this.#headersAt = headersAt;
  }

  /** The offset. It may be larger than a number can say exactly. */
  get offset(): bigint {
    return this.#offsetAt === ABSENT ? 0n : this.#int64(this.#offsetAt).toBigInt();
  }

  /** Milliseconds since 1970, as of Date.now(); null if the record has no timestamp. */
  get timestamp(): number | null {
    return this.#timestampAt === ABSENT ? null : this.#int64(this.#timestampAt).toNumber();
  }

  get key(): Buffer | null {
    if (this.#key === undefined) {
      this.#key = this.#keyAt === ABSENT ? null : this.#content.subarray(this.#keyAt, this.#keyEnd);
    }
    return this.#key;
  }

  get value(): Buffer | null {
    if (this.#value === undefined) {
      this.#value =
        this.#valueAt === ABSENT ? null : this.#content.subarray(this.#valueAt, this.#valueEnd);
    }
    return this.#value;
  }

  /** The headers in their order. */
  get headers(): readonly Header[] {
    this.#headers ??= this.#readHeaders();
    return this.#headers;
  }

  /** Returns the value of the last header of a name; undefined without one, null for Kafka's null. */
  header(name: string): Buffer | null | undefined {
    const headers = this.headers;
    for (let i = headers.length - 1; i >= 0; i--) {
      if (headers[i]!.name === name) {
        return headers[i]!.value;
      }
    }
    return undefined;
  }

  /** Returns the value as text. It throws Malformed if the value is null or not UTF-8. */
  text(): string {
    return this.#text('text');
  }

  /** Returns the value as JSON. It throws Malformed if the value is null or not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse; a caller that knows names the type
  json<T = any>(): T {
    const text = this.#text('JSON');
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw this.#malformed(`the value is not JSON: ${(error as Error).message}`, error);
    }
  }

  [inspect.custom](): string {
    return `<record of ${this.#place()}>`;
  }

  #text(wanted: string): string {
    const value = this.value;
    if (value === null) {
      throw this.#malformed(`the value is null, not ${wanted}`);
    }
    try {
      return utf8.decode(value);
    } catch (error) {
      throw this.#malformed('the value is not UTF-8', error);
    }
  }

  #malformed(problem: string, cause?: unknown): Malformed {
    const options = cause === undefined ? undefined : { cause };
    return new Malformed(`${this.#place()}: ${problem}`, options);
  }

  #place(): string {
    return `topic ${this.topic}, partition ${this.partition}, offset ${this.offset}`;
  }

  #int64(at: number): Long {
    const reader = protobuf.Reader.create(this.#content);
    reader.pos = at;
    return reader.int64() as Long; // it is a dependency
  }

  #readHeaders(): readonly Header[] {
    if (this.#headersAt === undefined) {
      return NO_HEADERS;
    }
    const headers = [];
    for (let i = 0; i < this.#headersAt.length; i += 2) {
      headers.push(readHeader(this.#content, this.#headersAt[i]!, this.#headersAt[i + 1]!));
    }
    return headers;
  }
}

function readHeader(content: Buffer, start: number, end: number): Header {
  const reader = protobuf.Reader.create(content);
  reader.pos = start;
  let name = content.subarray(0, 0);
  let value: Buffer | null = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | BYTES)) {
      name = reader.bytes() as Buffer;
    } else if (tag === ((2 << 3) | BYTES)) {
      value = reader.bytes() as Buffer;
    } else {
      reader.skipType(tag & 7);
    }
  }
  return new Header(name, value);
}

/** Reads a length, and returns the end of what follows, which has to be before another end. */
export function endOf(reader: protobuf.Reader, outer: number): number {
  const end = reader.uint32() + reader.pos;
  if (end > outer) {
    throw new ProtocolError('a field goes beyond the end of its message');
  }
  return end;
}

/** Skips a field that this version does not know. */
export function skipUnknown(reader: protobuf.Reader, tag: number): void {
  if (tag >>> 3 === 0) {
    throw new ProtocolError('a field has the number 0');
  }
  reader.skipType(tag & 7);
}

/** Goes to the end of a message of unknown or simple fields. */
function skim(reader: protobuf.Reader, end: number): void {
  while (reader.pos < end) {
    skipUnknown(reader, reader.uint32());
  }
  if (reader.pos !== end) {
    throw new ProtocolError('a field goes beyond the end of its message');
  }
}
