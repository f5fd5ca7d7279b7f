package dev.millrace;

import static com.google.protobuf.CodedOutputStream.computeUInt32Size;
import static com.google.protobuf.CodedOutputStream.computeUInt64SizeNoTag;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.millrace.processor.v1.Failure;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.Result;
import dev.millrace.processor.v1.Results;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Results of a batch, encoded one after another as a frame.
 *
 * <p>The messages that protoc generates would have to be built for each record first, which takes
 * longer than to write their bytes.
 */
final class ResultsBuffer {
  // The frame's length, the tag and length of Results, and the tag and id of the batch.
  private static final int HEAD_BYTES = Frame.LENGTH_BYTES + 1 + 5 + 1 + 10;
  private static final int FIRST_BYTES = 1 << 13;

  private final long batch;
  private byte[] bytes = new byte[FIRST_BYTES];
  private int streamStart = HEAD_BYTES;
  private CodedOutputStream stream = stream(bytes, HEAD_BYTES, bytes.length);

  ResultsBuffer(long batch) {
    this.batch = batch;
  }

  /** Returns how many bytes the results have; 0 if there are none. */
  int size() {
    return end() - HEAD_BYTES;
  }

  /** Adds the outputs of a record, whose size is that of {@link #size(int, List)}. */
  void add(int index, List<Output> outputs, int size) {
    reserve(size);
    try {
      begin(Results.RESULTS_FIELD_NUMBER, size);
      if (index != 0) {
        stream.writeUInt32(Result.INDEX_FIELD_NUMBER, index);
      }
      for (Output output : outputs) {
        begin(Result.OUTPUTS_FIELD_NUMBER, (int) OutputEncoder.size(output));
        OutputEncoder.write(output, stream);
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error); // there is room
    }
  }

  /** Returns how many bytes a result has, which may be more than an array can hold. */
  static long size(int index, List<Output> outputs) {
    long size = index == 0 ? 0 : computeUInt32Size(Result.INDEX_FIELD_NUMBER, index);
    for (Output output : outputs) {
      size += OutputEncoder.field(OutputEncoder.size(output));
    }
    return size;
  }

  /** Adds the failure of a record. */
  void add(int index, Failure failure) {
    Result result = Result.newBuilder().setIndex(index).setFailure(failure).build();
    reserve(result.getSerializedSize());
    try {
      stream.writeMessage(Results.RESULTS_FIELD_NUMBER, result);
    } catch (IOException error) {
      throw new UncheckedIOException(error); // there is room
    }
  }

  /** Returns the frame of the results, and has none from then on. */
  Frame take() {
    int end = end();
    int id = batch == 0 ? 0 : 1 + computeUInt64SizeNoTag(batch);
    int results = end - HEAD_BYTES + id;
    int message = (int) OutputEncoder.field(results);
    int start = end - message - Frame.LENGTH_BYTES;
    ByteBuffer frame = ByteBuffer.wrap(bytes, start, end - start);
    frame.putInt(start, message);
    try {
      stream = stream(bytes, start + Frame.LENGTH_BYTES, HEAD_BYTES);
      begin(ProcessFrame.RESULTS_FIELD_NUMBER, results);
      if (batch != 0) {
        stream.writeUInt64(Results.BATCH_FIELD_NUMBER, batch);
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error); // there is room
    }
    startOver(new byte[FIRST_BYTES], HEAD_BYTES);
    return new Frame(frame);
  }

  private void begin(int field, int size) throws IOException {
    stream.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    stream.writeUInt32NoTag(size);
  }

  /** Makes room for a field with so many bytes behind its tag and length. */
  private void reserve(int size) {
    int needed = Math.addExact(size, 1 + 5);
    if (stream.spaceLeft() < needed) {
      int end = end();
      int capacity = Math.max(Math.addExact(end, needed), 2 * bytes.length);
      startOver(Arrays.copyOf(bytes, capacity), end);
    }
  }

  private void startOver(byte[] with, int from) {
    bytes = with;
    streamStart = from;
    stream = stream(with, from, with.length);
  }

  private int end() {
    return streamStart + stream.getTotalBytesWritten();
  }

  private static CodedOutputStream stream(byte[] bytes, int from, int to) {
    return CodedOutputStream.newInstance(bytes, from, to - from);
  }
}
