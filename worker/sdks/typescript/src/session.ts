/** A process's work over one connection. */

import type { Socket } from 'node:net';

import { Answer } from './answer.js';
import { dial } from './dial.js';
import { lineOf } from './failure-message.js';
import { FrameReader } from './frame-reader.js';
import * as log from './log.js';
import type { Started, Wishes } from './processor.js';
import {
  BATCH_CREDIT,
  MAX_FRAME_BYTES,
  PROTOCOL_VERSION,
  ProtocolError,
  type v1,
} from './protocol.js';
import { Sender } from './sender.js';
import { ending, now, type Ties } from './ties.js';
import { UsedIds } from './used-ids.js';
import { VERSION } from './version.js';
import { type Batch, type Message, readMessage } from './worker-frame.js';

/** From this side's Close to the end of the stream. */
const CLOSING_MS = 10_000;
/** For the worker to take the reason of an end. */
const REASON_MS = 1000;

/** The connection has ended without a Close in good order. */
export class Disconnected extends Error {}

/** A batch that is not answered. */
interface Held {
  /** Its place among all batches that came. */
  readonly place: number;
  /** When the worker gives it up, as of now(); Infinity for never. */
  readonly deadline: number;
}

/**
 * Works on the batches of one connection until the worker closes or the process is asked to end.
 *
 * A process does not connect a second time: after an end without a Close in good order work
 * rejects with Disconnected, and a new process has no state of the old one.
 */
export class Session {
  readonly #path: string;
  readonly #started: Started;
  readonly #wishes: Wishes;
  readonly #ties: Ties;
  readonly #frames = new FrameReader((message) => this.#take(readMessage(message)));

  #socket!: Socket;
  #sender!: Sender;
  #end!: { resolve: () => void; reject: (error: Error) => void };

  #hello: v1.WorkerHello | undefined;
  readonly #held = new Map<bigint, Held>();
  readonly #used = new UsedIds();
  #came = 0;
  #granted = BATCH_CREDIT;
  /** How many batches had come before each Drain that is not answered. */
  #drains: number[] = [];
  /** Batches that no call was begun for. */
  readonly #queue: Batch[] = [];
  #starting = false;

  /** The process is asked to end. */
  #stopping = false;
  /** The worker has closed in good order. */
  #closed = false;
  /** This side has closed: what still comes is dropped. */
  #dropping = false;

  constructor(path: string, started: Started, wishes: Wishes, ties: Ties) {
    this.#path = path;
    this.#started = started;
    this.#wishes = wishes;
    this.#ties = ties;
  }

  /** Connects and works. It is fulfilled after an end in good order. */
  async work(): Promise<void> {
    const socket = await dial(
      this.#path,
      (bytes) => this.#read(bytes),
      () => this.#stopping,
    );
    if (socket === undefined) {
      return;
    }
    this.#socket = socket;
    this.#sender = new Sender(socket);
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    socket.on('end', () => this.#streamEnded());
    socket.on('error', (error) => this.#broke(error));
    socket.on('close', () => this.#broke(new Error('it is closed')));
    this.#sender.send({ hello: this.#processHello() });
    this.#endIfIdle();
    await ended;
    socket.destroy();
  }

  /** Answers what the process holds, and ends. */
  stop(): void {
    this.#stopping = true;
    if (this.#sender !== undefined) {
      this.#endIfIdle();
    }
  }

  /** Tells the worker why the process ends at once. */
  crash(reason: string): void {
    if (this.#sender !== undefined && !this.#dropping) {
      this.#dropping = true;
      this.#sender.sendNow({ close: { error: reason } });
    }
  }

  #processHello(): v1.ProcessHello.$Properties {
    return {
      minVersion: PROTOCOL_VERSION,
      maxVersion: PROTOCOL_VERSION,
      sdk: `millrace-typescript ${VERSION}`,
      pid: process.pid,
      ...this.#wishes,
      batchCredit: BATCH_CREDIT,
      maxFrameBytes: MAX_FRAME_BYTES,
    };
  }

  #read(bytes: Uint8Array): void {
    if (this.#dropping) {
      return;
    }
    try {
      this.#frames.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      this.#lose(`the worker has broken the protocol: ${error.message}`, error.message);
    }
  }

  #take(message: Message): void {
    if (this.#dropping) {
      return; // the rest of what was read with a Close
    }
    if (message.kind !== 'close' && (message.kind === 'hello') === (this.#hello !== undefined)) {
      throw new ProtocolError(
        this.#hello ? 'a second Hello' : `a message came before the Hello: ${message.kind}`,
      );
    }
    switch (message.kind) {
      case 'batch':
        this.#takeBatch(message.batch);
        break;
      case 'credit':
        this.#sender.addCredit(message.bytes);
        break;
      case 'ping':
        this.#sender.sendNow({ pong: { id: message.id } });
        break;
      case 'drain':
        this.#drains.push(this.#came);
        this.#answerDrains();
        break;
      case 'hello':
        this.#takeHello(message.hello);
        break;
      case 'close':
        this.#takeClose(message.error);
        break;
    }
  }

  #takeHello(hello: v1.WorkerHello): void {
    if (hello.version !== PROTOCOL_VERSION) {
      throw new ProtocolError(
        `it has chosen version ${hello.version}: this one speaks ${PROTOCOL_VERSION}`,
      );
    }
    this.#hello = hello;
    this.#sender.addCredit(Number(hello.byteCredit));
    this.#ties.wait();
    this.#ties.reach('connected');
    log.info(`connected to the worker of topic ${hello.topic}, group ${hello.group}`);
  }

  #takeClose(error: string): void {
    if (error !== '') {
      this.#lose(`the worker has given up this process: ${error}`);
      return;
    }
    this.#closed = true;
    this.#ties.reach('ended');
    this.#endIfIdle();
  }

  #takeBatch(batch: Batch): void {
    const place = this.#came++;
    if (this.#came > this.#granted) {
      throw new ProtocolError(`batch ${batch.id} came without credit`);
    }
    if (batch.records.length === 0) {
      throw new ProtocolError(`batch ${batch.id} has no records`);
    }
    if (!this.#used.add(batch.id)) {
      throw new ProtocolError(`the id ${batch.id} came twice`);
    }
    const deadline = batch.timeoutMs === 0 ? Number.POSITIVE_INFINITY : now() + batch.timeoutMs;
    this.#held.set(batch.id, { place, deadline });
    this.#tellDeadline();
    this.#queue.push(batch);
    // Not within the read: further frames may be there already.
    setImmediate(() => this.#startNext());
  }

  #startNext(): void {
    const batch = this.#starting || this.#dropping ? undefined : this.#queue.shift();
    if (batch === undefined) {
      return;
    }
    this.#starting = true;
    const largest = Number(this.#hello!.maxFrameBytes);
    const answer = new Answer(batch, largest, (frame) => this.#sender.sendResults(frame));
    const started = () => {
      this.#starting = false;
      setImmediate(() => this.#startNext());
    };
    this.#started.call(answer, this.#hello!.ordering, started).then(() => {
      answer.end();
      this.#answered(batch.id);
    });
  }

  #answered(id: bigint): void {
    this.#held.delete(id);
    this.#tellDeadline();
    if (this.#dropping) {
      return;
    }
    this.#ties.reach('useful');
    if (!this.#stopping && !this.#closed) {
      this.#granted++;
      this.#sender.send({ credit: { batches: 1 } });
    }
    this.#answerDrains();
    this.#endIfIdle();
  }

  /** Answers each Drain before which every batch is answered. */
  #answerDrains(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const { place } of this.#held.values()) {
      first = Math.min(first, place);
    }
    while (this.#drains.length > 0 && this.#drains[0]! <= first) {
      this.#drains.shift();
      this.#sender.send({ drained: {} });
    }
  }

  #tellDeadline(): void {
    if (this.#dropping) {
      return; // the end has its own deadline
    }
    if (this.#held.size === 0) {
      this.#ties.wait();
      return;
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#held.values()) {
      earliest = Math.min(earliest, deadline);
    }
    this.#ties.expect(earliest === Number.POSITIVE_INFINITY ? 0 : earliest);
  }

  /** Ends in good order if it is time and no batch is in hand. */
  #endIfIdle(): void {
    if (this.#held.size > 0 || this.#dropping) {
      return;
    }
    if (this.#closed) {
      this.#dropping = true;
      this.#ties.expect(now() + ending.longestMs);
      this.#sender.end(this.#end.resolve);
    } else if (this.#stopping) {
      // What still comes is read and dropped, so that the worker loses none of the results that
      // it has not read yet.
      this.#dropping = true;
      this.#ties.expect(now() + ending.longestMs);
      this.#sender.send({ close: {} });
      setTimeout(this.#end.resolve, CLOSING_MS);
    }
  }

  #streamEnded(): void {
    if (this.#closed || this.#dropping) {
      this.#sender.endCredit();
    }
    if (this.#dropping && !this.#closed) {
      this.#end.resolve();
    } else if (!this.#closed) {
      this.#lose('the worker has closed the connection without a word');
    }
  }

  #broke(error: Error): void {
    if (this.#closed || this.#dropping) {
      this.#end.resolve();
    } else {
      this.#lose(`the connection to the worker broke: ${lineOf(error)}`);
    }
  }

  /** Ends at once, and tells the worker why if it does not know. */
  #lose(reason: string, error = ''): void {
    this.#dropping = true;
    // Whatever the process still does then is of no use, so it is overdue.
    this.#ties.expect(now());
    const end = () => this.#end.reject(new Disconnected(reason));
    if (error === '') {
      end();
      return;
    }
    this.#sender.sendNow({ close: { error } });
    this.#socket.end(end);
    setTimeout(end, REASON_MS);
  }
}
