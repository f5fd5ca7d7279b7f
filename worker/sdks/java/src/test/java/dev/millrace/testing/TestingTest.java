package dev.millrace.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.Failure;
import dev.millrace.Header;
import dev.millrace.Output;
import dev.millrace.Record;
import dev.millrace.Result;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TestingTest {
  private static final Record RECORD =
      Record.builder().value("v").key("k").header("h", "1").timestamp(Instant.EPOCH).build();

  @Test
  void outputs() {
    Written same = Testing.process(record -> Output.same(), RECORD).output();
    assertEquals("v", same.text());
    assertEquals("k", same.keyText());
    assertEquals(List.of(Header.of("h", "1")), same.headers());
    assertEquals("", same.topic());
    assertEquals(Instant.EPOCH, same.timestamp());
    Output changed =
        Output.value("w")
            .withNullKey()
            .withHeader("i", "2")
            .withTopic("t")
            .withTimestamp(Instant.ofEpochMilli(5));
    Written other = Testing.process(record -> changed, RECORD).output();
    assertEquals("w", other.text());
    assertNull(other.key());
    assertEquals(List.of(Header.of("h", "1"), Header.of("i", "2")), other.headers());
    assertEquals("t", other.topic());
    assertEquals(
        List.of(), Testing.process(record -> changed.withoutHeaders(), RECORD).output().headers());
    assertNull(Testing.process(record -> Output.tombstone(), RECORD).output().value());
  }

  @Test
  void otherEnds() {
    assertTrue(Testing.process(record -> Result.none(), RECORD).filtered());
    Processed failed =
        Testing.process(
            record -> {
              throw Failure.drop("old");
            },
            RECORD);
    assertEquals(Failure.Kind.DROP, assertInstanceOf(Failure.class, failed.failure()).kind());
    assertThrows(AssertionError.class, failed::output);
    assertThrows(
        AssertionError.class, () -> Testing.process(record -> Result.none(), RECORD).output());
    assertInstanceOf(NullPointerException.class, Testing.process(record -> null, RECORD).failure());
  }

  @Test
  void batches() {
    var results =
        Testing.processBatch(records -> List.of(Output.same(), Result.none()), RECORD, RECORD);
    assertEquals("v", results.get(0).output().text());
    assertTrue(results.get(1).filtered());
    var tooFew = Testing.processBatch(records -> List.of(Output.same()), RECORD, RECORD);
    assertEquals(
        "the processor returned 1 results for 2 records: it has to return one for each",
        tooFew.get(1).failure().getMessage());
    assertInstanceOf(
        NullPointerException.class,
        Testing.processBatch(records -> null, RECORD, RECORD).get(0).failure());
  }
}
