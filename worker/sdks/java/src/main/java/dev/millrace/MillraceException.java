package dev.millrace;

/**
 * Why a processor has ended other than in good order. A program that does not catch it ends with
 * exit code 1 and is started again.
 */
public final class MillraceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  // Without a stack trace: it says nothing about the reason, and a program's log has one line for
  // each message.
  MillraceException(String message, Throwable cause) {
    super(message, cause, false, false);
  }

  MillraceException(String message) {
    this(message, null);
  }
}
