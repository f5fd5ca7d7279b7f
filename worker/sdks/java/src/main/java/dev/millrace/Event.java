package dev.millrace;

/** Why a connection, or the process, has to end. */
sealed interface Event {
  /** A connection has ended without a Close in good order. */
  record Lost(MillraceException reason) implements Event {}

  /** The worker sends no more batches. */
  record Closed() implements Event {}

  /** Somebody has asked the process to end. */
  record Stop() implements Event {}
}
