/** The messages of the protocol, which generate.sh makes from processor.proto. */

import { millrace } from '../protocol/processor.js';

export const { ProcessFrame, Record, Result, WorkerFrame } = millrace.processor.v1;
export const Kind = millrace.processor.v1.Failure.Kind;

export import v1 = millrace.processor.v1;

/** The version of the protocol that this package speaks. */
export const PROTOCOL_VERSION = 1;

/** The batches that a process has at a time: with two, the next one is there when one ends. */
export const BATCH_CREDIT = 2;

/** The largest message that a process takes. */
export const MAX_FRAME_BYTES = 64 << 20;

/** The bytes of a frame's length, in front of its message. */
export const LENGTH_BYTES = 4;

/** The worker has sent what the protocol does not allow. */
export class ProtocolError extends Error {}
