/**
 * Measures a process of this SDK over a socket, with a worker that does nothing else.
 *
 *     npm run bench -- [filter|text|echo|pass|output|batch|async]...
 *
 * It prints the records that one process handles in a second of its CPU time and of the clock: 100
 * bytes each, in batches of 1,000.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InputRecord, type ProcessFunction, type Processor, run } from 'millrace';
import { FrameReader } from '#millrace/frame-reader';
import { LENGTH_BYTES, type v1, WorkerFrame } from '#millrace/protocol';

const RECORDS = 1000;
const SECONDS = 3;
const CREDIT = 2;
const LIMITS = { maxFrameBytes: 64 << 20, byteCredit: Number.MAX_SAFE_INTEGER };

// The fields of a ProcessFrame.
const HELLO = 1;
const BATCH_CREDIT = 3;

// The id stands behind the frame's length, the batch's tag and length, and its own tag.
const ID_AT = LENGTH_BYTES + 1 + 3 + 1;
const ID_BYTES = 3;
const FIRST_ID = 1 << (7 * ID_BYTES);

const PROCESSORS: { [name: string]: ProcessFunction | Processor } = {
  filter: () => null,
  text: (record) => record.text(),
  echo: (record) => record.value,
  pass: (record) => record,
  output: (record) => ({ key: 'key', value: record.value }),
  batch: { processBatch: (records: InputRecord[]) => records.map((record) => record.value) },
  async: async (record) => record.value,
};

async function measure(name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const path = join(folder, 'socket');
  const server = createServer().listen(path);
  // In the process itself, whose CPU time then has no supervisor.
  const env = { ...process.env, MILLRACE_SOCKET: path, MILLRACE_PROCESSES: '0' };
  const program = spawn(process.execPath, [fileURLToPath(import.meta.url), 'run', name], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Its last words are how much CPU time it has used, in microseconds.
  let words = '';
  program.stderr.on('data', (text) => {
    words = String(text);
  });
  const socket = await new Promise<Socket>((resolve) => server.once('connection', resolve));
  const [records, seconds] = await drive(socket);
  await new Promise((resolve) => program.once('close', resolve));
  server.close();
  rmSync(folder, { recursive: true });
  const rate = (time: number) =>
    Math.round(records / time)
      .toLocaleString('en')
      .padStart(12);
  process.stdout.write(
    `${name.padEnd(8)} ${rate(seconds)} records/s ${rate(Number(words) / 1e6)} records/s of CPU\n`,
  );
}

/** Keeps batches in the process's hands. Returns the records and the seconds. */
function drive(socket: Socket): Promise<[number, number]> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const batch = encodedBatch();
  let [sent, done] = [0, 0];
  const sendBatch = () => socket.write(withID(batch, ++sent));
  return new Promise((resolve) => {
    const frames = new FrameReader((message) => {
      switch (message[0]! >>> 3) {
        case HELLO:
          socket.write(frame({ hello: { version: 1, ordering: 'Unordered', ...LIMITS } }));
          for (let i = 0; i < CREDIT; i++) {
            sendBatch();
          }
          break;
        case BATCH_CREDIT:
          done++;
          if (seconds() < SECONDS) {
            sendBatch();
          } else if (done === sent) {
            resolve([done * RECORDS, seconds()]);
            socket.end(frame({ close: {} }));
          }
      }
    });
    socket.on('data', (bytes: Buffer) => frames.push(bytes));
  });
}

function encodedBatch(): Buffer {
  const records = Array.from({ length: RECORDS }, (_, offset) => ({
    partition: 3,
    offset,
    timestampMs: 1767225600000,
    key: Buffer.from('key'),
    value: Buffer.alloc(100, 'v'),
    attempt: 1,
  }));
  return frame({ batch: { id: FIRST_ID, topic: 'bench', records } });
}

/** Returns a batch with another id, which has as many bytes. */
function withID(batch: Buffer, id: number): Buffer {
  const copy = Buffer.from(batch);
  for (let i = 0; i < ID_BYTES; i++) {
    copy[ID_AT + i] = ((id >>> (7 * i)) & 0x7f) | 0x80;
  }
  copy[ID_AT + ID_BYTES] = 1; // the digit that FIRST_ID has
  return copy;
}

function frame(message: v1.WorkerFrame.$Properties): Buffer {
  const content = WorkerFrame.encode(message).finish();
  const header = Buffer.alloc(LENGTH_BYTES);
  header.writeUInt32BE(content.length);
  return Buffer.concat([header, content]);
}

if (process.argv[2] === 'run') {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    writeSync(2, String(user + system));
  });
  await run(PROCESSORS[process.argv[3]!]!);
}
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : Object.keys(PROCESSORS)) {
  await measure(name);
}
