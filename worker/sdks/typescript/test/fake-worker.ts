/** Plays the worker's side, for tests. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { FrameReader } from '#millrace/frame-reader';
import { LENGTH_BYTES, ProcessFrame, type v1, WorkerFrame } from '#millrace/protocol';

/** Nothing takes as long, unless it has failed. */
export const PATIENCE_MS = 60_000;

const PROGRAM = fileURLToPath(new URL('program.js', import.meta.url));

type Kind = NonNullable<v1.ProcessFrame['message']>;

/** Returns a promise's value, or fails if that takes too long. */
export function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes too long`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Values that somebody waits for. */
class Queue<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  put(value: T): void {
    const next = this.#waiting.shift();
    if (next) {
      next(value);
    } else {
      this.#values.push(value);
    }
  }

  take(what: string): Promise<T> {
    if (this.#values.length > 0) {
      return Promise.resolve(this.#values.shift()!);
    }
    return soon(what, new Promise((resolve) => this.#waiting.push(resolve)));
  }
}

export function frame(message: v1.WorkerFrame.$Properties): Buffer {
  const content = WorkerFrame.encode(message).finish();
  const frame = Buffer.alloc(LENGTH_BYTES + content.length);
  frame.writeUInt32BE(content.length);
  frame.set(content, LENGTH_BYTES);
  return frame;
}

/** Returns the message of a record with a value. */
export function message(value: string, fields: v1.Record.$Properties = {}): v1.Record.$Properties {
  return { value: Buffer.from(value), attempt: 1, ...fields };
}

/** The worker's end of a process's connection. */
export class Connection {
  readonly socket: Socket;
  /** Of the process, once it has greeted. */
  pid = 0;
  readonly #frames = new Queue<v1.ProcessFrame | undefined>();

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader((content) => this.#frames.put(ProcessFrame.decode(content)));
    socket.on('data', (bytes: Buffer) => reader.push(bytes));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#frames.put(undefined));
    socket.on('end', () => socket.end());
  }

  send(content: v1.WorkerFrame.$Properties): void {
    this.socket.write(frame(content));
  }

  /** Returns the next frame, or undefined at the end. */
  receive(): Promise<v1.ProcessFrame | undefined> {
    return this.#frames.take('a frame of the process');
  }

  /** Returns the message of the next frame, which has to be of that kind. */
  async expect<K extends Kind>(kind: K): Promise<NonNullable<v1.ProcessFrame[K]>> {
    const received = await this.receive();
    if (received?.message !== kind) {
      throw new Error(`there is ${JSON.stringify(received) ?? 'an end'} instead of a ${kind}`);
    }
    return received[kind]!;
  }

  /** Fails unless the connection ends. */
  async expectEnd(): Promise<void> {
    const received = await this.receive();
    if (received !== undefined) {
      throw new Error(`there is ${JSON.stringify(received)} instead of an end`);
    }
  }

  /** Exchanges Hellos, and returns the process's. */
  async greet(fields: v1.WorkerHello.$Properties = {}): Promise<v1.ProcessHello> {
    const hello = await this.expect('hello');
    this.pid = Number(hello.pid);
    const limits = { maxFrameBytes: 1 << 20, byteCredit: 1 << 20 };
    const names = { topic: 'orders', group: 'tests', ordering: 'Unordered' };
    this.send({ hello: { version: 1, ...names, ...limits, ...fields } });
    return hello;
  }

  sendBatch(records: v1.Record.$Properties[], id = 1, timeoutMs = 0): void {
    this.send({ batch: { id, topic: 'orders', timeoutMs, records } });
  }

  /**
   * Returns as many results of a batch, in the order of the records, and takes the credit that
   * comes behind them.
   */
  async results(count: number, id = 1): Promise<v1.Result[]> {
    const found: v1.Result[] = [];
    while (found.length < count) {
      const { batch, results, failure } = await this.expect('results');
      if (Number(batch) !== id || failure) {
        throw new Error(`batch ${batch} has ${JSON.stringify(failure)}`);
      }
      found.push(...results);
    }
    await this.expect('credit');
    return found.sort((a, b) => a.index - b.index);
  }

  /** Sends a batch and returns its results. */
  ask(records: v1.Record.$Properties[], id = 1): Promise<v1.Result[]> {
    this.sendBatch(records, id);
    return this.results(records.length, id);
  }
}

/** A program that was started, whose lines are kept. */
export class Program {
  readonly process: ChildProcess;
  /** The exit code, or the signal, when the program and its output have ended. */
  readonly #ended: Promise<number | string>;
  log = '';

  constructor(path: string, name: string, processes: number) {
    const env = {
      ...process.env,
      MILLRACE_SOCKET: path,
      MILLRACE_PROCESSES: String(processes),
      MILLRACE_LOG_FORMAT: 'text',
    };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.process = spawn(process.execPath, [PROGRAM, name], {
      env,
      stdio: [...stdio],
      detached: true,
    });
    for (const output of [this.process.stdout!, this.process.stderr!]) {
      output.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    this.#ended = once(this.process, 'close').then(([code, signal]) => code ?? signal);
  }

  ended(): Promise<number | string> {
    return soon(`the end of a program that wrote\n${this.log}`, this.#ended);
  }

  /** Ends all of its processes. */
  kill(): void {
    try {
      process.kill(-this.process.pid!, 'SIGKILL');
    } catch {
      // they have ended
    }
  }
}

/** Listens, and starts programs that connect. It ends with the test. */
export class Worker {
  readonly path: string;
  readonly #server: Server;
  readonly #connections = new Queue<Connection>();

  private constructor(test: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
    this.path = join(folder, 'worker.sock');
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      test.after(() => socket.destroy());
      this.#connections.put(new Connection(socket));
    });
    this.#server.listen(this.path);
    this.#test = test;
    test.after(() => {
      this.#server.close();
      rmSync(folder, { recursive: true });
    });
  }

  readonly #test: TestContext;

  static async listen(test: TestContext): Promise<Worker> {
    const worker = new Worker(test);
    await once(worker.#server, 'listening');
    return worker;
  }

  /** Starts one of the programs. It is the process itself with 0 processes. */
  start(name: string, processes = 0): Program {
    const program = new Program(this.path, name, processes);
    this.#test.after(() => program.kill());
    return program;
  }

  accept(): Promise<Connection> {
    return this.#connections.take('a connection');
  }

  /** Starts a program of one process and exchanges the Hellos. */
  async open(name: string, hello: v1.WorkerHello.$Properties = {}): Promise<[Connection, Program]> {
    const program = this.start(name);
    const connection = await this.accept();
    await connection.greet(hello);
    return [connection, program];
  }
}
