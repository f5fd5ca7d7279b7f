package dev.millrace;

import com.google.protobuf.ByteString;
import dev.millrace.processor.v1.Failure.Kind;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;

/** Makes the protocol's failures of exceptions. */
final class FailureMessage {
  /** A worker keeps as many bytes of a message and of a detail. */
  private static final int MESSAGE_BYTES = 1024;

  private static final int DETAIL_BYTES = 16 * 1024;
  private static final byte[] GAP = "\n\t...\n".getBytes(StandardCharsets.UTF_8);
  // Failure.retry_after_ms is 32 bits wide.
  private static final long LONGEST_WAIT = 0xffff_ffffL;

  private FailureMessage() {}

  static dev.millrace.processor.v1.Failure of(Throwable error) {
    var message =
        dev.millrace.processor.v1.Failure.newBuilder()
            .setMessageBytes(ByteString.copyFrom(start(utf8(line(error)), MESSAGE_BYTES)))
            .setDetailBytes(ByteString.copyFrom(detail(error)));
    if (error instanceof Failure failure) {
      switch (failure.kind()) {
        case RETRY -> message.setRetryAfterMs(milliseconds(failure.retryWait()));
        case PERMANENT -> message.setKind(Kind.PERMANENT);
        case DROP -> message.setKind(Kind.DROP);
        case DEAD_LETTER -> message.setKind(Kind.DEAD_LETTER).setDeadLetterTopic(failure.topic());
      }
    }
    return message.build();
  }

  /** Returns a failure that the library finds. */
  static dev.millrace.processor.v1.Failure of(Kind kind, String problem) {
    return dev.millrace.processor.v1.Failure.newBuilder().setKind(kind).setMessage(problem).build();
  }

  /**
   * Returns one line. The message of a {@link Failure} speaks for itself; that of others stands
   * behind their class, as in a stack trace.
   */
  static String line(Throwable error) {
    String text;
    try {
      text = error instanceof Failure ? error.getMessage() : error.toString();
      if ((text == null || text.isBlank()) && error.getCause() != null) {
        text = error.getCause().toString();
      }
    } catch (Throwable unreadable) {
      Attempt.caught(unreadable);
      text = null;
    }
    if (text == null || text.isBlank()) {
      text = error.getClass().getName();
    }
    // A message may be as long as a record, and white space only makes it shorter.
    String begin = text.length() > 4 * MESSAGE_BYTES ? text.substring(0, 4 * MESSAGE_BYTES) : text;
    return begin.strip().replaceAll("\\s+", " ");
  }

  /** Returns the stack trace. Its beginning and its end say most. */
  private static byte[] detail(Throwable error) {
    StringWriter text = new StringWriter();
    try {
      error.printStackTrace(new PrintWriter(text));
    } catch (Throwable unreadable) {
      Attempt.caught(unreadable);
      text.append(unreadable.getClass().getName()).append(" while the stack trace was made");
    }
    byte[] all = utf8(text.toString());
    if (all.length <= DETAIL_BYTES) {
      return all;
    }
    int half = (DETAIL_BYTES - GAP.length) / 2;
    byte[] start = start(all, half);
    int from = all.length - half;
    while (isContinuation(all[from])) {
      from++;
    }
    byte[] joined = Arrays.copyOf(start, start.length + GAP.length + all.length - from);
    System.arraycopy(GAP, 0, joined, start.length, GAP.length);
    System.arraycopy(all, from, joined, start.length + GAP.length, all.length - from);
    return joined;
  }

  /** Returns UTF-8, in which lone surrogates are replaced. */
  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Returns the first bytes, up to the end of a character. */
  private static byte[] start(byte[] text, int bytes) {
    if (text.length <= bytes) {
      return text;
    }
    int end = bytes;
    while (isContinuation(text[end])) {
      end--;
    }
    return Arrays.copyOf(text, end);
  }

  private static boolean isContinuation(byte of) {
    return (of & 0xc0) == 0x80;
  }

  /** Returns whole milliseconds. 0 would leave the wait to the manifest. */
  private static int milliseconds(Duration wait) {
    long milliseconds;
    try {
      milliseconds = wait.plusNanos(999_999).toMillis();
    } catch (ArithmeticException tooLong) {
      milliseconds = LONGEST_WAIT;
    }
    return (int) Math.max(1, Math.min(milliseconds, LONGEST_WAIT));
  }
}
