/** Connects to the worker. */

import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import * as log from './log.js';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1000;
/** Between two lines in the log. */
const PATIENCE_MS = 30_000;

const READ_BYTES = 256 << 10;

// The worker does not listen yet, or has not taken the connections that wait.
const NOT_YET = ['ENOENT', 'ECONNREFUSED', 'EAGAIN'];

/**
 * Connects, and waits while the socket is not there yet. Bytes that come are handed to take, which
 * must not keep them. It returns undefined if stopped is true before.
 */
export async function dial(
  path: string,
  take: (bytes: Uint8Array) => void,
  stopped: () => boolean,
): Promise<Socket | undefined> {
  let wait = FIRST_WAIT_MS;
  let warnAt = performance.now() + PATIENCE_MS;
  while (!stopped()) {
    try {
      return await attempt(path, take);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!NOT_YET.includes(code ?? '')) {
        throw new Error(`connecting to the worker at ${path}: ${message}`, { cause: error });
      }
      if (performance.now() >= warnAt) {
        log.warn(`still waiting for the worker at ${path}: ${message}`);
        warnAt = performance.now() + PATIENCE_MS;
      }
    }
    await setTimeout(wait);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
  return undefined;
}

function attempt(path: string, take: (bytes: Uint8Array) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      path,
      allowHalfOpen: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (count, buffer) => {
          take(buffer.subarray(0, count));
          return true;
        },
      },
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
