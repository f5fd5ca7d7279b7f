package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.processor.v1.Failure.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class FailureMessageTest {
  private static String message(Throwable error) {
    return FailureMessage.of(error).getMessage();
  }

  @Test
  void kinds() {
    assertEquals(Kind.RETRY, FailureMessage.of(new IOException()).getKind());
    assertEquals(Kind.PERMANENT, FailureMessage.of(Failure.permanent("m")).getKind());
    assertEquals(Kind.DROP, FailureMessage.of(Failure.drop("m")).getKind());
    var dead = FailureMessage.of(Failure.deadLetter("t", "m"));
    assertEquals(Kind.DEAD_LETTER, dead.getKind());
    assertEquals("t", dead.getDeadLetterTopic());
    assertThrows(IllegalArgumentException.class, () -> Failure.deadLetter("", "m"));
  }

  @Test
  void waitIsNeverTheManifests() {
    assertEquals(1500, wait(Duration.ofMillis(1500)));
    assertEquals(1, wait(Duration.ZERO));
    assertEquals(2, wait(Duration.ofNanos(1_000_001)));
    assertEquals(-1, wait(Duration.ofSeconds(Long.MAX_VALUE)), "the largest of 32 bits");
    assertThrows(
        IllegalArgumentException.class, () -> Failure.retryAfter(Duration.ofMillis(-1), ""));
    assertEquals(0, FailureMessage.of(new IOException()).getRetryAfterMs());
  }

  private static int wait(Duration wait) {
    return FailureMessage.of(Failure.retryAfter(wait, "m")).getRetryAfterMs();
  }

  @Test
  void messageIsOneShortLine() {
    assertEquals("two lines", message(Failure.permanent("two\n  lines\n")));
    assertEquals("java.io.IOException: no disk", message(new IOException("no disk")));
    assertEquals(
        "java.io.IOException: no disk",
        message(Failure.permanent(null, new IOException("no disk"))));
    assertEquals("dev.millrace.Failure", message(Failure.permanent("")));
    assertEquals("a".repeat(1024), message(Failure.permanent("a".repeat(100_000))));
    assertEquals(1023, bytes(message(Failure.permanent("a" + "ä".repeat(2000)))));
    assertEquals("half of it: ?", message(Failure.permanent("half of it: \ud83d")));
  }

  private static int bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
  }

  @Test
  void detailIsTheStackTrace() {
    Exception cause = new IOException("no disk");
    String detail = FailureMessage.of(new IllegalStateException("m", cause)).getDetail();
    assertTrue(detail.startsWith("java.lang.IllegalStateException: m\n\tat dev.millrace."), detail);
    assertTrue(detail.contains("\nCaused by: java.io.IOException: no disk\n"), detail);
  }

  /** Such as the error of a class that can't be loaded. */
  @Test
  void errorThatCanNotBeDescribed() {
    Throwable error =
        new IllegalStateException() {
          @Override
          public String toString() {
            throw new NoClassDefFoundError("a.Missing");
          }
        };
    assertEquals(error.getClass().getName(), message(error));
    assertTrue(FailureMessage.of(error).getDetail().contains("NoClassDefFoundError"));
  }

  @Test
  void longDetailKeepsItsEnds() {
    Throwable error = new IOException("the root");
    for (int i = 0; i < 500; i++) {
      error = new UncheckedIOException("layer ä " + i, new IOException(error));
    }
    String detail = FailureMessage.of(error).getDetail();
    assertTrue(bytes(detail) <= 16 * 1024 && bytes(detail) > 16_000, () -> "" + bytes(detail));
    assertTrue(detail.startsWith("java.io.UncheckedIOException: layer ä 499\n"), detail);
    assertTrue(detail.contains("\n\t...\n"), detail);
    assertTrue(detail.contains("Caused by: java.io.IOException: the root"), detail);
  }

  @Test
  void exceptionsThatCanNotBeRead() {
    Exception strange =
        new Exception() {
          private static final long serialVersionUID = 1;

          @Override
          public String getMessage() {
            throw new IllegalStateException("no");
          }
        };
    var failure = FailureMessage.of(strange);
    assertEquals(strange.getClass().getName(), failure.getMessage());
    assertTrue(failure.getDetail().contains("while the stack trace was made"));
  }
}
