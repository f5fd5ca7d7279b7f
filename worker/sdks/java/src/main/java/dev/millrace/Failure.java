package dev.millrace;

import java.time.Duration;
import java.util.Objects;

/**
 * A failed attempt that says what becomes of its record. Any other exception is a failed attempt
 * too, and the manifest says what becomes of the record.
 */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What becomes of a record. */
  public enum Kind {
    /** The worker tries again. */
    RETRY,
    /** Another attempt can't succeed. */
    PERMANENT,
    /** The record is left out and counted. */
    DROP,
    /** The record becomes a dead letter in a topic that the failure names. */
    DEAD_LETTER
  }

  private final Kind kind;
  private final Duration wait; // null leaves it to the manifest
  private final String topic; // null unless it is a dead letter

  private Failure(Kind kind, String message, Throwable cause, Duration wait, String topic) {
    super(message, cause);
    this.kind = kind;
    this.wait = wait;
    this.topic = topic;
  }

  /**
   * Says that another attempt can't succeed: the record is exhausted at once.
   *
   * @param message the reason, for people
   * @return the exception to throw
   */
  public static Failure permanent(String message) {
    return permanent(message, null);
  }

  /**
   * Says that another attempt can't succeed: the record is exhausted at once.
   *
   * @param message the reason, for people
   * @param cause what has happened, null if there is no more to say
   * @return the exception to throw
   */
  public static Failure permanent(String message, Throwable cause) {
    return new Failure(Kind.PERMANENT, message, cause, null, null);
  }

  /**
   * Says that the next attempt has to wait. The attempt counts, so a record that has had all its
   * attempts is exhausted all the same.
   *
   * @param wait how long the next attempt waits at least
   * @param message the reason, for people
   * @return the exception to throw
   */
  public static Failure retryAfter(Duration wait, String message) {
    return retryAfter(wait, message, null);
  }

  /**
   * Says that the next attempt has to wait. The attempt counts, so a record that has had all its
   * attempts is exhausted all the same.
   *
   * @param wait how long the next attempt waits at least
   * @param message the reason, for people
   * @param cause what has happened, null if there is no more to say
   * @return the exception to throw
   */
  public static Failure retryAfter(Duration wait, String message, Throwable cause) {
    if (wait.isNegative()) {
      throw new IllegalArgumentException("the wait is " + wait + ": it can't be negative");
    }
    return new Failure(Kind.RETRY, message, cause, wait, null);
  }

  /**
   * Says that the record is worthless: the worker drops and counts it. To leave out a record that
   * is all right, return {@link Result#none()}.
   *
   * @param message the reason, for people
   * @return the exception to throw
   */
  public static Failure drop(String message) {
    return new Failure(Kind.DROP, message, null, null, null);
  }

  /**
   * Makes the record a dead letter at once. The topic is on the cluster of the other dead letters,
   * and has to exist.
   *
   * @param topic the topic of the dead letter
   * @param message the reason, for people
   * @return the exception to throw
   */
  public static Failure deadLetter(String topic, String message) {
    return deadLetter(topic, message, null);
  }

  /**
   * Makes the record a dead letter at once. The topic is on the cluster of the other dead letters,
   * and has to exist.
   *
   * @param topic the topic of the dead letter
   * @param message the reason, for people
   * @param cause what has happened, null if there is no more to say
   * @return the exception to throw
   */
  public static Failure deadLetter(String topic, String message, Throwable cause) {
    Objects.requireNonNull(topic, "topic");
    if (topic.isEmpty()) {
      throw new IllegalArgumentException(
          "a dead letter needs a topic: Failure.permanent writes to the manifest's");
    }
    return new Failure(Kind.DEAD_LETTER, message, cause, null, topic);
  }

  /**
   * Returns what becomes of the record.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Returns how long the next attempt waits at least.
   *
   * @return the wait, null where the manifest decides
   */
  public Duration retryWait() {
    return wait;
  }

  /**
   * Returns the topic of a dead letter.
   *
   * @return the topic, null unless the kind is {@link Kind#DEAD_LETTER}
   */
  public String topic() {
    return topic;
  }
}
