package dev.millrace;

/**
 * Why a processor has ended other than in good order. A program that does not catch it ends with
 * exit code 1 and is started again.
 */
public final class MillraceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  // java File.java cuts the frames of its launcher off the stack trace of what a program throws,
  // and fails without a word about it where there are fewer.
  private static final boolean FROM_SOURCE =
      System.getProperty("sun.java.command", "").startsWith("jdk.compiler/");

  // Mostly without a stack trace: it says nothing about the reason, and a program's log has one
  // line for
  // each message.
  MillraceException(String message, Throwable cause) {
    super(message, cause, false, FROM_SOURCE);
  }

  MillraceException(String message) {
    this(message, null);
  }

  /** Returns this exception for the thread that throws it to the program. */
  MillraceException here() {
    if (FROM_SOURCE) {
      fillInStackTrace();
    }
    return this;
  }
}
