/** Reads the messages of a worker. */

import protobuf from 'protobufjs/minimal.js';

import { ProtocolError, type v1, WorkerFrame } from './protocol.js';
import { endOf, InputRecord, skipUnknown } from './record.js';

const VARINT = 0;
const BYTES = 2;
/** The number of the batch in a WorkerFrame. */
const BATCH = 2;
const LAST_MESSAGE = 6;

/** Records to process. */
export interface Batch {
  readonly id: bigint;
  /** How long the worker waits for the results; 0 is for ever. */
  readonly timeoutMs: number;
  readonly records: InputRecord[];
}

/** A message of the worker. */
export type Message =
  | { kind: 'batch'; batch: Batch }
  | { kind: 'hello'; hello: v1.WorkerHello }
  | { kind: 'credit'; bytes: number }
  | { kind: 'ping'; id: v1.Ping['id'] }
  | { kind: 'drain' }
  | { kind: 'close'; error: string };

/**
 * Reads a WorkerFrame. Batches are read by this package, record by record into what users get;
 * the generated code would make objects of all their fields first.
 */
export function readMessage(content: Buffer): Message {
  try {
    return read(content);
  } catch (error) {
    if (error instanceof ProtocolError) {
      throw error;
    }
    throw new ProtocolError(`a frame is not Protobuf: ${(error as Error).message}`);
  }
}

function read(content: Buffer): Message {
  const reader = protobuf.Reader.create(content);
  let [last, batchAt, batchEnd] = [0, 0, 0];
  while (reader.pos < content.length) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    if ((tag & 7) !== BYTES || number < 1 || number > LAST_MESSAGE) {
      skipUnknown(reader, tag);
      continue;
    }
    // Of several messages the last one counts.
    last = number;
    batchEnd = endOf(reader, content.length);
    batchAt = reader.pos;
    reader.pos = batchEnd;
  }
  if (last === BATCH) {
    reader.pos = batchAt;
    return { kind: 'batch', batch: readBatch(reader, batchEnd) };
  }
  return ofGenerated(WorkerFrame.decode(content));
}

function ofGenerated(frame: v1.WorkerFrame): Message {
  switch (frame.message) {
    case 'hello':
      return { kind: 'hello', hello: frame.hello! };
    case 'credit':
      return { kind: 'credit', bytes: Number(frame.credit!.bytes) };
    case 'ping':
      return { kind: 'ping', id: frame.ping!.id };
    case 'drain':
      return { kind: 'drain' };
    case 'close':
      return { kind: 'close', error: frame.close!.error };
    default:
      throw new ProtocolError('a frame has no message that this version knows');
  }
}

function readBatch(reader: protobuf.Reader, end: number): Batch {
  let id = 0n;
  let topic = '';
  let timeoutMs = 0;
  const places: number[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag) {
      case (1 << 3) | VARINT:
        id = BigInt(reader.uint64().toString());
        break;
      case (2 << 3) | BYTES:
        topic = reader.string();
        break;
      case (3 << 3) | VARINT:
        timeoutMs = reader.uint32();
        break;
      case (4 << 3) | BYTES: {
        const recordEnd = endOf(reader, end);
        places.push(reader.pos, recordEnd);
        reader.pos = recordEnd;
        break;
      }
      default:
        skipUnknown(reader, tag);
    }
  }
  if (reader.pos !== end) {
    throw new ProtocolError('a field goes beyond the end of its message');
  }
  return { id, timeoutMs, records: readRecords(reader, places, topic) };
}

/** Reads the records when the topic is known, whatever the order of the fields is. */
function readRecords(
  reader: protobuf.Reader,
  places: readonly number[],
  topic: string,
): InputRecord[] {
  const records = new Array<InputRecord>(places.length / 2);
  for (let i = 0; i < records.length; i++) {
    reader.pos = places[2 * i]!;
    records[i] = new InputRecord(reader, places[2 * i + 1]!, topic);
  }
  return records;
}
