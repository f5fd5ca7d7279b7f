/** The errors that say what becomes of a record. */

// Failure.retryAfterMs is 32 bits wide.
const LONGEST_WAIT = 2 ** 32 - 1;

/** The base of the errors that say more than that an attempt has failed. */
export abstract class FailedAttempt extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * Another attempt can't succeed: the worker takes the record for exhausted at once.
 *
 * What becomes of an exhausted record is in the manifest, in failure.onExhausted.
 */
export class Permanent extends FailedAttempt {}

/** The bytes of the record are not of the format that they are read as. */
export class Malformed extends Permanent {}

/**
 * The record is worthless: the worker drops and counts it, without another attempt.
 *
 * To leave out a record that is all right, return null.
 */
export class Drop extends FailedAttempt {}

/**
 * The attempt has failed, and the next one has to wait.
 *
 * The attempt counts, so a record that has had failure.maxAttempts is exhausted all the same.
 */
export class RetryAfter extends FailedAttempt {
  readonly milliseconds: number;

  constructor(milliseconds: number, message = '', options?: ErrorOptions) {
    if (!(milliseconds >= 0 && milliseconds <= LONGEST_WAIT)) {
      throw new RangeError(
        `RetryAfter takes 0 to ${LONGEST_WAIT} milliseconds, not ${String(milliseconds)}`,
      );
    }
    super(message || messageOf(options) || `the next attempt is in ${milliseconds} ms`, options);
    // 0 would leave the wait to the manifest.
    this.milliseconds = Math.max(1, Math.ceil(milliseconds));
  }
}

/**
 * The record becomes a dead letter in another topic at once.
 *
 * The topic is on the cluster of the other dead letters, and has to exist.
 */
export class DeadLetter extends FailedAttempt {
  readonly topic: string;

  constructor(topic: string, message = '', options?: ErrorOptions) {
    if (typeof topic !== 'string' || topic === '') {
      throw new TypeError("DeadLetter needs a topic; Permanent writes to the manifest's");
    }
    super(message || messageOf(options) || `the record goes to topic ${topic}`, options);
    this.topic = topic;
  }
}

function messageOf(options: ErrorOptions | undefined): string {
  return options?.cause instanceof Error ? options.cause.message : '';
}
