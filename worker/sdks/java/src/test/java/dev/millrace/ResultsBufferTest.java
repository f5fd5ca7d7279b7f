package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.Results;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is encoded by hand is the same as what protoc's code encodes. */
final class ResultsBufferTest {
  private static Results parse(Frame frame) throws Exception {
    ByteBuffer bytes = frame.bytes().duplicate();
    assertEquals(bytes.remaining() - 4, bytes.getInt());
    ProcessFrame parsed = ProcessFrame.parseFrom(bytes);
    // The encoding is canonical, so no byte is left over or missing.
    assertEquals(
        parsed.toByteString(),
        ByteString.copyFrom(frame.bytes().duplicate().position(frame.bytes().position() + 4)));
    return parsed.getResults();
  }

  private static void add(ResultsBuffer to, int index, Output... outputs) {
    List<Output> list = List.of(outputs);
    int before = to.size();
    long size = ResultsBuffer.size(index, list);
    to.add(index, list, (int) size);
    assertEquals(before + OutputEncoder.field(size), to.size());
  }

  @Test
  void everyPart() throws Exception {
    ResultsBuffer buffer = new ResultsBuffer(-1);
    Output all =
        Output.value("ä".repeat(1000))
            .withKey("k")
            .withHeaders(List.of(Header.of("n", "v"), Header.of("m", (String) null)))
            .withHeader("long", "x".repeat(200))
            .withTopic("tö")
            .withTimestamp(Instant.ofEpochMilli(-5));
    add(buffer, 0, all, Output.same(), Output.tombstone());
    add(buffer, 300);
    buffer.add(301, FailureMessage.of(Failure.drop("old")));
    add(buffer, 302, Output.value(new byte[0]).withNullKey().withoutHeaders());
    Results results = parse(buffer.take());
    assertEquals(-1, results.getBatch());
    assertEquals(
        List.of(0, 300, 301, 302),
        results.getResultsList().stream().map(r -> r.getIndex()).toList());
    var first = results.getResults(0).getOutputs(0);
    assertEquals("ä".repeat(1000), first.getValue().toStringUtf8());
    assertEquals("k", first.getKey().toStringUtf8());
    assertEquals(3, first.getHeadersCount());
    assertEquals(false, first.getHeaders(1).hasValue());
    assertEquals("tö", first.getTopic());
    assertEquals(-5, first.getTimestampMs());
    assertEquals(false, first.getSameKey() || first.getSameValue() || first.getSameHeaders());
    var same = results.getResults(0).getOutputs(1);
    assertEquals(true, same.getSameKey() && same.getSameValue() && same.getSameHeaders());
    var tombstone = results.getResults(0).getOutputs(2);
    assertEquals(
        true, tombstone.getSameKey() && !tombstone.getSameValue() && !tombstone.hasValue());
    assertEquals(0, results.getResults(1).getOutputsCount());
    assertEquals("old", results.getResults(2).getFailure().getMessage());
    var empty = results.getResults(3).getOutputs(0);
    assertEquals(true, empty.hasValue() && !empty.hasKey() && !empty.getSameKey());
  }

  @Test
  void sizesOfAllKinds() throws Exception {
    for (long batch : new long[] {0, 1, 127, 128, 1L << 40}) {
      ResultsBuffer buffer = new ResultsBuffer(batch);
      for (int size : new int[] {0, 1, 127, 128, 16_383, 16_384, 3_000_000}) {
        add(buffer, size, Output.value(new byte[size]));
        Results results = parse(buffer.take());
        assertEquals(batch, results.getBatch());
        assertEquals(size, results.getResults(0).getOutputs(0).getValue().size());
        assertEquals(0, buffer.size());
      }
    }
  }

  @Test
  void manyResults() throws Exception {
    ResultsBuffer buffer = new ResultsBuffer(7);
    for (int i = 0; i < 5000; i++) {
      add(buffer, i, Output.value("value " + i));
    }
    Results results = parse(buffer.take());
    for (int i = 0; i < 5000; i++) {
      assertEquals(i, results.getResults(i).getIndex());
      assertEquals("value " + i, results.getResults(i).getOutputs(0).getValue().toStringUtf8());
    }
  }
}
