/** Turns what a function has thrown into the protocol's failures. */

import { inspect } from 'node:util';

import { DeadLetter, Drop, FailedAttempt, Permanent, RetryAfter } from './failures.js';
import { Kind, type v1 } from './protocol.js';

// A worker keeps as many bytes of a message and of a detail.
const MESSAGE_BYTES = 1024;
const DETAIL_BYTES = 16 * 1024;

const OWN_FOLDER = new URL('.', import.meta.url).href;

/** Returns the failure of an attempt that has ended with an error, which may be any value. */
export function failureOf(error: unknown): v1.Failure.$Properties {
  const failure: v1.Failure.$Properties = {
    message: cut(oneLine(guarded(() => messageOf(error))), MESSAGE_BYTES),
    detail: cut(
      guarded(() => detailOf(error)),
      DETAIL_BYTES,
    ),
  };
  if (error instanceof Permanent) {
    failure.kind = Kind.PERMANENT;
  } else if (error instanceof Drop) {
    failure.kind = Kind.DROP;
  } else if (error instanceof DeadLetter) {
    failure.kind = Kind.DEAD_LETTER;
    failure.deadLetterTopic = wellFormed(error.topic);
  } else if (error instanceof RetryAfter) {
    failure.retryAfterMs = error.milliseconds;
  }
  return failure;
}

/** Returns an error in one line, for logs. */
export function lineOf(error: unknown): string {
  return oneLine(guarded(() => messageOf(error)));
}

/**
 * Returns what an error says. The errors of this package speak for themselves; the message of
 * others stands behind their name, as in a stack trace.
 */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return `the function threw ${typeof error === 'string' ? error : inspect(error)}`;
  }
  const message = String(error.message);
  if (!(error instanceof FailedAttempt)) {
    return String(error);
  }
  return message || (error.cause === undefined ? error.name : messageOf(error.cause));
}

function detailOf(error: unknown): string {
  return error instanceof Error ? withoutOwnFrames(inspect(error)) : '';
}

/** Leaves out this package's calls of the user's function. */
function withoutOwnFrames(stack: string): string {
  const lines = stack.split('\n');
  return lines.filter((line) => !/^\s+at /.test(line) || !line.includes(OWN_FOLDER)).join('\n');
}

/** Calls a function that may run code of the error's class, which may throw. */
function guarded(describe: () => string): string {
  try {
    return describe();
  } catch {
    return 'the function threw an error that can not be described';
  }
}

function oneLine(text: string): string {
  return text.split(/\s+/).filter(Boolean).join(' ');
}

/** Returns the beginning of a text, in as many bytes of UTF-8. The beginning of a stack says most. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text.slice(0, bytes));
  if (encoded.length <= bytes) {
    return encoded.toString();
  }
  let end = bytes;
  while ((encoded[end]! & 0xc0) === 0x80) {
    end--; // not within a character
  }
  return encoded.toString('utf8', 0, end);
}

/** Replaces lone surrogates, which Protobuf refuses. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
