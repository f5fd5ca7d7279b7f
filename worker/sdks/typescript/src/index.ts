/**
 * Write processors of Kafka records in TypeScript.
 *
 * A processor is a function from a record to its results. A worker of Millrace reads from Kafka,
 * hands records to the processes of this program over a Unix socket, tries failed attempts again,
 * writes the results and the dead letters, and commits.
 *
 *     import { run } from 'millrace';
 *
 *     await run((record) => record.text().toUpperCase());
 */

export { DeadLetter, Drop, FailedAttempt, Malformed, Permanent, RetryAfter } from './failures.js';
export type { Output, OutputHeader, Result, Single } from './output.js';
export {
  type BatchProcessor,
  type BatchResult,
  type Common,
  type Limits,
  type ProcessFunction,
  type Processor,
  processor,
  type RecordProcessor,
} from './processor.js';
export type { Header, InputRecord } from './record.js';
export { run } from './run.js';
export { VERSION } from './version.js';
