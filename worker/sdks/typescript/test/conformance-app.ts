/** The test program of the protocol's specification, which `millrace conformance` drives. */

import { setTimeout } from 'node:timers/promises';

import {
  DeadLetter,
  Drop,
  type InputRecord,
  Permanent,
  type Result,
  RetryAfter,
  run,
} from 'millrace';

const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null;

function describe(record: InputRecord): Result {
  const { topic, partition, timestamp, attempt, key, value, headers } = record;
  return {
    json: {
      topic,
      partition,
      offset: Number(record.offset),
      timestamp,
      attempt,
      key: hex(key),
      value: hex(value),
      headers: headers.map((header) => [hex(header.nameBytes), hex(header.value)]),
    },
  };
}

/** Does what the value says, up to the first space. */
function act(record: InputRecord): Result | Promise<Result> {
  const [, command, text = ''] =
    /^(\S*) ?(.*)$/s.exec(record.value?.toString('latin1') ?? '') ?? [];
  switch (command) {
    case 'filter':
      return null;
    case 'describe':
      return describe(record);
    case 'outputs':
      return Array.from({ length: Number(text) }, (_, number) => String(number));
    case 'tombstone':
      return { value: null };
    case 'empty':
      return { key: '', value: '' };
    case 'topic':
      return { topic: text };
    case 'large':
      return 'x'.repeat(Number(text));
    case 'sleep':
      return setTimeout(Number(text), record);
    case 'fail':
      throw new Error(text);
    case 'permanent':
      throw new Permanent(text);
    case 'drop':
      throw new Drop(text);
    case 'retry-after':
      throw new RetryAfter(Number(text));
    case 'dead-letter':
      throw new DeadLetter(text);
    case 'exit':
      return process.exit(3);
    default:
      return record;
  }
}

await run(act);
