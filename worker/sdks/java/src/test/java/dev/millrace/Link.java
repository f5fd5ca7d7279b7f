package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.google.protobuf.ByteString;
import dev.millrace.processor.v1.Batch;
import dev.millrace.processor.v1.Close;
import dev.millrace.processor.v1.Drain;
import dev.millrace.processor.v1.Ping;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.ProcessFrame.MessageCase;
import dev.millrace.processor.v1.ProcessHello;
import dev.millrace.processor.v1.Result;
import dev.millrace.processor.v1.Results;
import dev.millrace.processor.v1.WorkerFrame;
import dev.millrace.processor.v1.WorkerHello;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The worker's end of a connection. */
final class Link implements AutoCloseable {
  private final SocketChannel channel;

  Link(SocketChannel channel) {
    this.channel = channel;
  }

  static WorkerHello.Builder hello() {
    return WorkerHello.newBuilder()
        .setVersion(1)
        .setOrdering("Unordered")
        .setTopic("orders")
        .setByteCredit(1 << 30)
        .setMaxFrameBytes(1 << 20);
  }

  static dev.millrace.processor.v1.Record.Builder record(String value) {
    return dev.millrace.processor.v1.Record.newBuilder()
        .setValue(ByteString.copyFromUtf8(value))
        .setAttempt(1);
  }

  static byte[] frame(WorkerFrame.Builder message) {
    byte[] content = message.build().toByteArray();
    return ByteBuffer.allocate(4 + content.length).putInt(content.length).put(content).array();
  }

  static WorkerFrame.Builder batch(long id, String... values) {
    Batch.Builder batch = Batch.newBuilder().setId(id).setTopic("orders");
    for (String value : values) {
      batch.addRecords(record(value));
    }
    return WorkerFrame.newBuilder().setBatch(batch);
  }

  void send(WorkerFrame.Builder message) throws IOException {
    send(frame(message));
  }

  void send(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  void sendBatch(long id, String... values) throws IOException {
    send(batch(id, values));
  }

  void sendDrain() throws IOException {
    send(WorkerFrame.newBuilder().setDrain(Drain.getDefaultInstance()));
  }

  void sendClose(String error) throws IOException {
    send(WorkerFrame.newBuilder().setClose(Close.newBuilder().setError(error)));
  }

  /** Sends a ping and waits for its pong, which is the next message. */
  void ping(long id) throws IOException {
    send(WorkerFrame.newBuilder().setPing(Ping.newBuilder().setId(id)));
    assertEquals(id, expect(MessageCase.PONG).getPong().getId());
  }

  /** Exchanges Hellos. */
  ProcessHello greet(WorkerHello.Builder hello) throws IOException {
    ProcessHello theirs = expect(MessageCase.HELLO).getHello();
    send(WorkerFrame.newBuilder().setHello(hello));
    return theirs;
  }

  /** Returns the next message, or null at the end. */
  ProcessFrame receive() throws IOException {
    ByteBuffer length = ByteBuffer.allocate(4);
    if (!fill(length)) {
      return null;
    }
    ByteBuffer content = ByteBuffer.allocate(length.getInt(0));
    if (!fill(content)) {
      throw new IOException("the connection ended within a frame");
    }
    return ProcessFrame.parseFrom(content.array());
  }

  private boolean fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        return false;
      }
    }
    return true;
  }

  ProcessFrame expect(MessageCase kind) throws IOException {
    ProcessFrame frame = receive();
    assertNotNull(frame, "the connection ended instead of " + kind);
    assertEquals(kind, frame.getMessageCase(), frame::toString);
    return frame;
  }

  /** Returns the next message that is no credit for batches. */
  ProcessFrame expectAfterCredit(MessageCase kind) throws IOException {
    ProcessFrame frame = receive();
    while (frame != null && frame.hasCredit()) {
      frame = receive();
    }
    assertNotNull(frame, "the connection ended instead of " + kind);
    assertEquals(kind, frame.getMessageCase(), frame::toString);
    return frame;
  }

  Results results() throws IOException {
    return expectAfterCredit(MessageCase.RESULTS).getResults();
  }

  /** Returns the results of a batch in the order of its records, with the credit behind them. */
  List<Result> answer(long id, int count) throws IOException {
    List<Result> found = new ArrayList<>();
    while (found.size() < count) {
      Results results = results();
      assertEquals(id, results.getBatch());
      assertEquals(false, results.hasFailure(), results::toString);
      found.addAll(results.getResultsList());
    }
    assertEquals(1, expect(MessageCase.CREDIT).getCredit().getBatches());
    found.sort(Comparator.comparing(Result::getIndex));
    return found;
  }

  List<Result> ask(long id, String... values) throws IOException {
    sendBatch(id, values);
    return answer(id, values.length);
  }

  /** Ends the worker's direction. */
  void end() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
