/** Sends frames to the worker. */

import type { Socket } from 'node:net';

import { LENGTH_BYTES, type v1 } from './protocol.js';
import { frameOf } from './results-frame.js';

interface Waiting {
  readonly frame: Buffer;
  /** The bytes of credit that it takes. */
  readonly cost: number;
}

/**
 * Sends frames in the order of the calls, Results only as far as there is credit for them.
 *
 * What has to wait for credit, and all that comes after it, waits in memory. It is no more than
 * the results of the batches that the process holds, since the worker gets no credit for others
 * before it has these.
 */
export class Sender {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #credit = 0;
  #onSent: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Sends a message other than Results. */
  send(message: v1.ProcessFrame.$Properties): void {
    this.#queue({ frame: frameOf(message), cost: 0 });
  }

  /** Sends a frame of Results. */
  sendResults(frame: Buffer): void {
    this.#queue({ frame, cost: frame.length - LENGTH_BYTES });
  }

  /** Sends a message before those that wait for credit. */
  sendNow(message: v1.ProcessFrame.$Properties): void {
    this.#write(frameOf(message));
  }

  /** Allows as many bytes of Results more. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    while (this.#waiting.length > 0 && this.#waiting[0]!.cost <= this.#credit) {
      this.#pay(this.#waiting.shift()!);
    }
    this.#endIfSent();
  }

  /** Says that no more credit comes: what waits for it goes nowhere. */
  endCredit(): void {
    this.#waiting.length = 0;
    this.#endIfSent();
  }

  /** Ends this direction of the connection behind all frames, and calls back then. */
  end(done: () => void): void {
    this.#onSent = done;
    this.#endIfSent();
  }

  #queue(next: Waiting): void {
    if (this.#waiting.length > 0 || next.cost > this.#credit) {
      this.#waiting.push(next);
    } else {
      this.#pay(next);
    }
  }

  #pay({ frame, cost }: Waiting): void {
    this.#credit -= cost;
    this.#write(frame);
  }

  #write(frame: Buffer): void {
    // After the end of the connection frames go nowhere: the session finds out why it has ended.
    if (this.#socket.writable) {
      this.#socket.write(frame);
    }
  }

  #endIfSent(): void {
    if (this.#onSent !== undefined && this.#waiting.length === 0) {
      this.#socket.end(this.#onSent);
      this.#onSent = undefined;
    }
  }
}
