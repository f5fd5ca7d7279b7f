/**
 * Runs a processor on records in a test, without a worker.
 *
 *     const [result] = await process((record) => record.text().toUpperCase(), [record('hello')]);
 *     assert.equal(result.outputs[0].text(), 'HELLO');
 */

import Long from 'long';
import protobuf from 'protobufjs/minimal.js';

import { Answer } from './answer.js';
import type { OutputHeader } from './output.js';
import { headersOf } from './output.js';
import { definitionOf, type ProcessFunction, type Processor, start } from './processor.js';
import { Kind, LENGTH_BYTES, ProcessFrame, Record, type v1 } from './protocol.js';
import { Header, InputRecord } from './record.js';
import { bytesOf, milliseconds } from './values.js';

const MAX_RESULT_BYTES = 64 << 20;

/** The parts of a record beside its value. */
export interface Fields {
  readonly key?: string | Uint8Array | null;
  readonly headers?: Iterable<OutputHeader>;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number | bigint;
  readonly timestamp?: Date | number | null;
  readonly attempt?: number;
}

/** Makes a record for a test. */
export function record(value: string | Uint8Array | null, fields: Fields = {}): InputRecord {
  const { key = null, headers = [], timestamp = null, attempt = 1 } = fields;
  const { topic = '', partition = 0, offset = 0 } = fields;
  const message: v1.Record.$Properties = {
    topic,
    partition,
    attempt,
    offset: Long.fromValue(offset),
    headers: headersOf(headers).map(([name, value]) => (value ? { name, value } : { name })),
  };
  const [keyBytes, valueBytes] = [bytesOf('key', key), bytesOf('value', value)];
  if (keyBytes !== null) {
    message.key = keyBytes;
  }
  if (valueBytes !== null) {
    message.value = valueBytes;
  }
  if (timestamp !== null) {
    message.timestampMs = Long.fromNumber(milliseconds('timestamp', timestamp));
  }
  const content = Record.encode(message).finish();
  return new InputRecord(protobuf.Reader.create(content), content.length, '');
}

/** A record that the worker would write. "" as the topic is the manifest's output topic. */
export class Written {
  readonly value: Buffer | null;
  readonly key: Buffer | null;
  readonly headers: readonly Header[];
  readonly topic: string;
  readonly timestamp: number | null;

  /** @internal */
  constructor(output: v1.Output, input: InputRecord) {
    const headers = output.headers ?? [];
    this.value = output.sameValue ? input.value : bufferOf(output.value);
    this.key = output.sameKey ? input.key : bufferOf(output.key);
    this.headers = [
      ...(output.sameHeaders ? input.headers : []),
      ...headers.map(({ name, value }) => new Header(Buffer.from(name), bufferOf(value))),
    ];
    this.topic = output.topic;
    this.timestamp = output.timestampMs === null ? input.timestamp : Number(output.timestampMs);
  }

  /** Returns the value as text, or null if it is null. */
  text(): string | null {
    return this.value === null ? null : this.value.toString();
  }

  /** Returns the value as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse; a caller that knows names the type
  json<T = any>(): T {
    return JSON.parse(this.text() ?? 'null') as T;
  }
}

/** Why an attempt has failed, and what becomes of the record. */
export interface Failure {
  readonly kind: 'RETRY' | 'PERMANENT' | 'DROP' | 'DEAD_LETTER';
  readonly message: string;
  readonly detail: string;
  readonly retryAfterMs: number;
  readonly deadLetterTopic: string;
}

/** What has become of one record. */
export interface Outcome {
  readonly record: InputRecord;
  readonly outputs: readonly Written[];
  readonly failure: Failure | undefined;
  /** Whether the record has neither outputs nor a failure. */
  readonly filtered: boolean;
}

export interface Options {
  /** That of the manifest. */
  readonly ordering?: 'Unordered' | 'Key' | 'Partition';
}

/**
 * Runs a processor, or a function as one, on records as on one batch. It calls setup and close too.
 *
 * The result has one item for each record, in their order. If a batch function fails as a whole,
 * each record has that failure; a worker would try smaller batches.
 */
export async function process<State>(
  target: ProcessFunction | Processor<State>,
  records: readonly InputRecord[],
  options: Options = {},
): Promise<Outcome[]> {
  const { ordering = 'Unordered' } = options;
  if (!['Unordered', 'Key', 'Partition'].includes(ordering)) {
    throw new TypeError(`ordering is ${ordering}: it has to be Unordered, Key or Partition`);
  }
  if (records.length === 0) {
    return [];
  }
  const parts: v1.Results[] = [];
  const batch = { id: 1n, timeoutMs: 0, records: [...records] };
  const answer = new Answer(batch, MAX_RESULT_BYTES, (frame) => {
    parts.push(ProcessFrame.decode(frame.subarray(LENGTH_BYTES)).results!);
  });
  const started = await start(definitionOf(target));
  await started.call(answer, ordering, () => {});
  answer.end();
  await started.close();
  return outcomesOf(records, parts);
}

function outcomesOf(records: readonly InputRecord[], parts: readonly v1.Results[]): Outcome[] {
  const whole = parts.at(-1)?.failure;
  if (whole) {
    return records.map((record) => outcomeOf(record, [], whole));
  }
  const results = new Map<number, v1.Result>();
  for (const result of parts.flatMap((part) => part.results)) {
    results.set(result.index, result);
  }
  return records.map((record, index) => {
    const { outputs, failure } = results.get(index)!;
    return outcomeOf(record, outputs, failure);
  });
}

function outcomeOf(
  record: InputRecord,
  messages: readonly v1.Output[],
  failure: v1.Failure | null,
): Outcome {
  const outputs = messages.map((output) => new Written(output, record));
  return {
    record,
    outputs,
    failure: failure ? failureOf(failure) : undefined,
    filtered: outputs.length === 0 && !failure,
  };
}

function failureOf(failure: v1.Failure): Failure {
  return {
    kind: Kind[failure.kind] as Failure['kind'],
    message: failure.message,
    detail: failure.detail,
    retryAfterMs: failure.retryAfterMs,
    deadLetterTopic: failure.deadLetterTopic,
  };
}

function bufferOf(value: Uint8Array | null | undefined): Buffer | null {
  return value ? Buffer.from(value) : null;
}
