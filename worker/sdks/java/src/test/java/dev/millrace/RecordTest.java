package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RecordTest {
  /** A class that is read from JSON. */
  public record Order(String item, int count) {}

  private static final Record ORDER =
      Record.builder()
          .at("orders", 3, 7)
          .key("k")
          .value("{\"item\": \"tea\", \"count\": 2}")
          .timestamp(Instant.ofEpochMilli(-1))
          .header("a", "1")
          .header("b", null)
          .header("a", "2")
          .attempt(4)
          .build();

  @Test
  void parts() {
    assertEquals("orders", ORDER.topic());
    assertEquals(3, ORDER.partition());
    assertEquals(7, ORDER.offset());
    assertEquals(4, ORDER.attempt());
    assertEquals("k", ORDER.keyText());
    assertEquals(-1, ORDER.timestamp().toEpochMilli());
    assertEquals("2", ORDER.lastHeader("a").text());
    assertNull(ORDER.lastHeader("b").value());
    assertNull(ORDER.lastHeader("c"));
    assertEquals(
        List.of(Header.of("a", "1"), Header.of("b", (String) null), Header.of("a", "2")),
        ORDER.headers());
  }

  @Test
  void nullIsNotEmpty() {
    Record nothing = Record.builder().build();
    assertNull(nothing.key());
    assertNull(nothing.keyText());
    assertNull(nothing.value());
    assertNull(nothing.timestamp());
    Record empty = Record.builder().key("").value("").timestamp(Instant.EPOCH).build();
    assertArrayEquals(new byte[0], empty.key());
    assertEquals("", empty.text());
    assertEquals(Instant.EPOCH, empty.timestamp());
  }

  @Test
  void arraysAreCopies() {
    byte[] value = ORDER.value();
    value[0] = 0;
    assertEquals('{', ORDER.value()[0]);
    byte[] key = ORDER.key();
    key[0] = 0;
    assertEquals("k", ORDER.keyText());
  }

  @Test
  void json() {
    assertEquals(new Order("tea", 2), ORDER.json(Order.class));
    assertEquals(
        "{\"n\":1}",
        new String(Output.json(Map.of("n", 1)).value(), java.nio.charset.StandardCharsets.UTF_8));
    Failure other = malformed(() -> Record.builder().value("tea").build().json(Order.class));
    assertTrue(other.getMessage().contains("Unrecognized token 'tea'"), other.getMessage());
    malformed(() -> Record.builder().build().json(Order.class));
    assertThrows(IllegalArgumentException.class, () -> Output.json(new Object()));
  }

  @Test
  void decode() {
    int length = ORDER.decode(value -> value.length);
    assertEquals(27, length);
    IOException cause = new IOException("no magic");
    Failure failure =
        malformed(
            () ->
                ORDER.decode(
                    value -> {
                      throw cause;
                    }));
    assertEquals(
        "topic orders, partition 3, offset 7: the value can't be decoded:"
            + " java.io.IOException: no magic",
        failure.getMessage());
    assertSame(cause, failure.getCause());
    Failure own = Failure.drop("old");
    assertSame(
        own,
        assertThrows(
            Failure.class,
            () ->
                ORDER.decode(
                    value -> {
                      throw own;
                    })));
  }

  @Test
  void malformedText() {
    byte[] latin = {(byte) 0xe4};
    Failure failure = malformed(() -> Record.builder().at("t", 1, 2).value(latin).build().text());
    assertEquals("topic t, partition 1, offset 2: the value is not UTF-8", failure.getMessage());
    malformed(() -> Record.builder().key(latin).build().keyText());
    malformed(() -> Record.builder().build().text());
  }

  private static Failure malformed(org.junit.jupiter.api.function.Executable call) {
    Failure failure = assertInstanceOf(Failure.class, assertThrows(Failure.class, call));
    assertEquals(Failure.Kind.PERMANENT, failure.kind());
    return failure;
  }
}
