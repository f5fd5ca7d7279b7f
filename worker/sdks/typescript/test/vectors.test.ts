/** The frames of vectors.json, read and written. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import protobuf from 'protobufjs';

import { LENGTH_BYTES, ProcessFrame, WorkerFrame } from '#millrace/protocol';
import { type Batch, readMessage } from '#millrace/worker-frame';

interface Vector {
  readonly name: string;
  readonly from: 'worker' | 'process';
  readonly hex: string;
  readonly message: { [kind: string]: { [field: string]: unknown } };
}

const PROTOCOL = new URL('../../../protocol/', import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(new URL('vectors.json', PROTOCOL), 'utf8'));
const definition = protobuf.parse(readFileSync(new URL('processor.proto', PROTOCOL), 'utf8')).root;

// Not the generated code, but the library's reading of processor.proto at run time.
const REFLECTED = {
  worker: definition.lookupType('millrace.processor.v1.WorkerFrame'),
  process: definition.lookupType('millrace.processor.v1.ProcessFrame'),
};
const GENERATED = { worker: WorkerFrame, process: ProcessFrame };

for (const { name, from, hex, message } of vectors) {
  const content = Buffer.from(hex, 'hex').subarray(LENGTH_BYTES);

  test(`the generated code reads and writes: ${name}`, () => {
    const decoded = GENERATED[from].decode(content);
    assert.deepEqual(jsonOf(from, decoded), jsonOf(from, REFLECTED[from].fromObject(message)));
    assert.deepEqual(Buffer.from(GENERATED[from].encode(decoded as never).finish()), content);
  });

  if (message.batch) {
    test(`records are read without the generated code: ${name}`, () => {
      const read = readMessage(content);
      assert.equal(read.kind, 'batch');
      const { batch } = jsonOf('worker', WorkerFrame.decode(content)) as { batch: BatchJSON };
      for (const record of batch.records ?? []) {
        if (record.timestampMs !== undefined) {
          record.timestampMs = time(Number(record.timestampMs));
        }
      }
      assert.deepEqual(batchOf((read as { batch: Batch }).batch), batch);
    });
  }
}

interface BatchJSON {
  readonly records?: { timestampMs?: string }[];
}

/** Writes a time as exactly as numbers have it. */
const time = (milliseconds: number) => `${milliseconds} ms`;

function jsonOf(from: Vector['from'], message: object): unknown {
  const options = { longs: String, enums: String, bytes: String, json: true };
  return REFLECTED[from].toObject(message as never, options);
}

/** Returns a batch as Protobuf's JSON has it, which leaves out zeros. */
function batchOf({ id, timeoutMs, records }: Batch): unknown {
  const base64 = (bytes: Buffer | null) => bytes?.toString('base64');
  return withoutZeros({
    id: String(id),
    topic: 'orders',
    timeoutMs,
    records: records.map((record) =>
      withoutZeros({
        partition: record.partition,
        offset: String(record.offset),
        timestampMs: record.timestamp === null ? undefined : time(record.timestamp),
        key: base64(record.key),
        value: base64(record.value),
        headers: record.headers.map(({ nameBytes, value }) =>
          withoutZeros({ name: base64(nameBytes) || undefined, value: base64(value) }),
        ),
        attempt: record.attempt,
        topic: record.topic === 'orders' ? undefined : record.topic,
      }),
    ),
  });
}

function withoutZeros(fields: { [name: string]: unknown }): { [name: string]: unknown } {
  const isZero = (value: unknown) =>
    value === undefined ||
    value === 0 ||
    value === '0' ||
    (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isZero(value)));
}
