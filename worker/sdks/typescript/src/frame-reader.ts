/** Cuts the bytes of a connection into messages. */

import { LENGTH_BYTES, MAX_FRAME_BYTES, ProtocolError } from './protocol.js';

/** Collects the bytes of one message after another. */
export class FrameReader {
  readonly #take: (message: Buffer) => void;
  #length = 0;
  #lengthBytes = 0;
  #message: Buffer | undefined;
  #filled = 0;

  /** take gets each message, which keeps its memory. */
  constructor(take: (message: Buffer) => void) {
    this.#take = take;
  }

  /** Whether the last bytes were the end of a message. */
  get complete(): boolean {
    return this.#lengthBytes === 0;
  }

  /** Takes the next bytes, which may be used again after the call. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#message === undefined) {
        this.#pushLength(bytes[at++]!);
        continue;
      }
      const part = bytes.subarray(at, at + this.#message.length - this.#filled);
      this.#message.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#message.length) {
        const message = this.#message;
        this.#message = undefined;
        this.#lengthBytes = 0;
        this.#take(message);
      }
    }
  }

  #pushLength(byte: number): void {
    this.#length = this.#lengthBytes === 0 ? byte : this.#length * 256 + byte;
    this.#lengthBytes++;
    if (this.#lengthBytes < LENGTH_BYTES) {
      return;
    }
    if (this.#length === 0) {
      throw new ProtocolError('a frame is empty');
    }
    if (this.#length > MAX_FRAME_BYTES) {
      throw new ProtocolError(
        `a frame has ${this.#length} bytes: at most ${MAX_FRAME_BYTES} are allowed`,
      );
    }
    this.#message = Buffer.allocUnsafeSlow(this.#length);
    this.#filled = 0;
  }
}
