package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.millrace.processor.v1.Batch;
import dev.millrace.processor.v1.ByteCredit;
import dev.millrace.processor.v1.Close;
import dev.millrace.processor.v1.Failure.Kind;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.ProcessFrame.MessageCase;
import dev.millrace.processor.v1.ProcessHello;
import dev.millrace.processor.v1.WorkerFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A process's side of the protocol, over a socket with a worker that the test plays. */
@Timeout(60)
final class SessionTest {
  private Worker worker;

  @BeforeEach
  void make() throws IOException {
    worker = new Worker();
  }

  @AfterEach
  void close() throws IOException {
    worker.close();
  }

  /** Code that waits for a gate in records with a value that is not empty. */
  private static final class Gates implements RecordProcessor {
    private final Map<String, CountDownLatch> open = new ConcurrentHashMap<>();
    private final Map<String, CountDownLatch> reached = new ConcurrentHashMap<>();

    private static CountDownLatch latch(Map<String, CountDownLatch> of, String name) {
      return of.computeIfAbsent(name, absent -> new CountDownLatch(1));
    }

    @Override
    public Result process(Record record) throws InterruptedException {
      String name = record.text();
      if (!name.isEmpty()) {
        latch(reached, name).countDown();
        latch(open, name).await();
      }
      return Output.same();
    }

    void open(String name) {
      latch(open, name).countDown();
    }

    void awaitReached(String name) throws InterruptedException {
      latch(reached, name).await();
    }
  }

  @Test
  void hello() throws IOException {
    worker.listen();
    Millrace.Builder builder =
        Millrace.builder().threads(3).maxRecords(100).maxBytes(1000).linger(Duration.ofMillis(500));
    worker.run(builder, new Code.Each(record -> Result.none()), 2);
    for (int i = 0; i < 2; i++) {
      ProcessHello hello = worker.accept().greet(Link.hello());
      assertEquals(List.of(1, 1), List.of(hello.getMinVersion(), hello.getMaxVersion()));
      assertEquals("millrace-java 0.1.0", hello.getSdk());
      assertEquals(ProcessHandle.current().pid(), hello.getPid());
      assertEquals(100, hello.getMaxRecords());
      assertEquals(1000, hello.getMaxBytes());
      assertEquals(500, hello.getLingerMs());
      assertEquals(3, hello.getBatchCredit());
      assertEquals(64 << 20, hello.getMaxFrameBytes());
    }
  }

  @Test
  void results() throws IOException {
    Link link =
        worker.start(
            record ->
                switch (record.text()) {
                  case "none" -> Result.none();
                  case "two" -> Result.of(Output.value("a"), Output.value("b").withTopic("t"));
                  case "null" -> null;
                  case "fail" -> throw Failure.retryAfter(Duration.ofMillis(1500), "busy");
                  case "checked" -> throw new IOException("no disk");
                  default -> Output.value(record.value());
                });
    var results = link.ask(1, "v", "none", "two", "null", "fail", "checked", "");
    var output = results.get(0).getOutputs(0);
    assertEquals("v", output.getValue().toStringUtf8());
    assertTrue(output.getSameKey() && output.getSameHeaders() && !output.getSameValue());
    assertEquals(0, results.get(1).getOutputsCount());
    assertFalse(results.get(1).hasFailure());
    assertEquals(2, results.get(2).getOutputsCount());
    assertEquals("t", results.get(2).getOutputs(1).getTopic());
    assertTrue(results.get(3).getFailure().getMessage().contains("the processor returned null"));
    assertEquals("busy", results.get(4).getFailure().getMessage());
    assertEquals(1500, results.get(4).getFailure().getRetryAfterMs());
    assertEquals("java.io.IOException: no disk", results.get(5).getFailure().getMessage());
    assertTrue(results.get(5).getFailure().getDetail().contains("at dev.millrace.SessionTest"));
    assertTrue(results.get(6).getOutputs(0).hasValue());
  }

  @Test
  void errorsAreFailedAttempts() throws IOException {
    Link link =
        worker.start(
            record ->
                switch (record.text()) {
                  case "deep" -> deep(record);
                  case "error" -> throw new AssertionError("broken");
                  case "class" -> throw new NoClassDefFoundError("x/Y");
                  default -> Output.same();
                });
    var results = link.ask(1, "deep", "error", "class", "v");
    assertEquals("java.lang.StackOverflowError", results.get(0).getFailure().getMessage());
    assertEquals("java.lang.AssertionError: broken", results.get(1).getFailure().getMessage());
    assertEquals("java.lang.NoClassDefFoundError: x/Y", results.get(2).getFailure().getMessage());
    assertFalse(results.get(3).hasFailure());
  }

  private static Result deep(Record record) {
    Result result = deep(record);
    return result == null ? Result.none() : result;
  }

  @Test
  void interruptsOfOneRecordDoNotReachTheNext() throws IOException {
    Link link =
        worker.start(
            record -> {
              if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("was interrupted before");
              }
              Thread.currentThread().interrupt();
              if (record.text().equals("throw")) {
                throw new InterruptedException("enough");
              }
              return Output.same();
            });
    for (int id = 1; id <= 20; id++) {
      var results = link.ask(id, "a", "throw", "b", "c");
      assertFalse(results.get(0).hasFailure());
      assertEquals(
          "java.lang.InterruptedException: enough", results.get(1).getFailure().getMessage());
      assertFalse(results.get(2).hasFailure() || results.get(3).hasFailure());
    }
  }

  @Test
  void partsOfRecords() throws IOException {
    AtomicReference<Record> got = new AtomicReference<>();
    Link link =
        worker.start(
            record -> {
              got.set(record);
              return Result.none();
            });
    var record = Link.record("v").setTopic("other").setPartition(3).setOffset(7).setAttempt(2);
    Instant before = Instant.now();
    link.send(
        WorkerFrame.newBuilder()
            .setBatch(
                Batch.newBuilder().setId(1).setTopic("t").setTimeoutMs(5000).addRecords(record)));
    link.answer(1, 1);
    Record other = got.get();
    assertEquals("Record[topic other, partition 3, offset 7]", other.toString());
    assertEquals(2, other.attempt());
    assertNull(other.timestamp());
    assertNull(other.key());
    assertTrue(!other.deadline().isBefore(before.plusSeconds(5)), other.deadline()::toString);
    assertTrue(!other.deadline().isAfter(Instant.now().plusSeconds(5)));
    link.ask(2, "v");
    assertEquals("orders", got.get().topic());
    assertNull(got.get().deadline());
  }

  @Test
  void batches() throws IOException {
    worker.listen();
    BatchProcessor code =
        records -> {
          if (records.get(0).text().equals("bad")) {
            throw new IllegalArgumentException("bad batch");
          }
          List<Result> results = new ArrayList<>();
          for (Record record : records) {
            results.add(
                record.text().equals("fail")
                    ? Result.failed(Failure.drop("worthless"))
                    : Output.value(record.value()));
          }
          return results;
        };
    worker.run(Millrace.builder(), new Code.Whole(code), 1);
    Link link = worker.accept();
    link.greet(Link.hello());
    var results = link.ask(1, "a", "fail", "b");
    assertEquals("a", results.get(0).getOutputs(0).getValue().toStringUtf8());
    assertEquals(Kind.DROP, results.get(1).getFailure().getKind());
    link.sendBatch(2, "bad", "a");
    var failed = link.results();
    assertEquals("java.lang.IllegalArgumentException: bad batch", failed.getFailure().getMessage());
    assertEquals(0, failed.getResultsCount());
    link.expect(MessageCase.CREDIT);
    var alone = link.ask(3, "bad");
    assertEquals(
        "java.lang.IllegalArgumentException: bad batch", alone.get(0).getFailure().getMessage());
  }

  @Test
  void recordsOfOneBatchRunAtTheSameTime() throws IOException {
    CyclicBarrier both = new CyclicBarrier(2);
    Link link =
        worker.start(
            record -> {
              both.await();
              return Result.none();
            });
    assertTrue(link.ask(1, "a", "b").stream().noneMatch(result -> result.hasFailure()));
  }

  @Test
  void recordsWhoseOrderCountsDoNot() throws Exception {
    Gates gates = new Gates();
    Link link = worker.start(gates, Link.hello().setOrdering("Key"));
    var first = Link.record("first").setKey(ByteString.copyFromUtf8("k"));
    var second = Link.record("second").setKey(ByteString.copyFromUtf8("k"));
    var other = Link.record("other").setKey(ByteString.copyFromUtf8("l"));
    var batch = Batch.newBuilder().setId(1).addRecords(first).addRecords(second).addRecords(other);
    link.send(WorkerFrame.newBuilder().setBatch(batch));
    gates.awaitReached("first");
    gates.awaitReached("other");
    gates.open("other");
    gates.open("second");
    assertFalse(gates.reached.containsKey("second"));
    gates.open("first");
    link.answer(1, 3);
  }

  @Test
  void pingsAreAnsweredWhileTheCodeRuns() throws IOException {
    Gates gates = new Gates();
    Link link = worker.start(gates);
    for (int id = 1; id <= 3; id++) {
      link.sendBatch(id, "gate");
    }
    for (int id = 0; id < 100; id++) {
      link.ping(id);
    }
    gates.open("gate");
    for (int i = 0; i < 3; i++) {
      link.results();
    }
  }

  @Test
  void resultsWaitForCredit() throws IOException {
    Link link =
        worker.start(
            record -> Output.value(record.value()),
            Link.hello().setByteCredit(200).setMaxFrameBytes(100));
    String value = "v".repeat(50);
    // Each answer has 60 bytes and some, so the fourth has no credit.
    for (int id = 1; id <= 3; id++) {
      link.ask(id, value);
    }
    link.sendBatch(4, value);
    for (int id = 0; id < 10; id++) {
      link.ping(id);
    }
    credit(link, 1);
    link.ping(10);
    credit(link, 60);
    link.answer(4, 1);
  }

  private static void credit(Link link, long bytes) throws IOException {
    link.send(WorkerFrame.newBuilder().setCredit(ByteCredit.newBuilder().setBytes(bytes)));
  }

  @Test
  void resultsThatAreTooLarge() throws IOException {
    Link link =
        worker.start(
            record -> Output.value("v".repeat(Integer.parseInt(record.text()))),
            Link.hello().setMaxFrameBytes(1000));
    link.sendBatch(1, "600", "600", "600");
    var results = link.results();
    while (!results.hasFailure()) {
      results = link.results();
    }
    assertEquals(0, results.getResultsCount());
    assertEquals(Kind.RETRY, results.getFailure().getKind());
    assertTrue(results.getFailure().getMessage().contains("more than 1000 bytes"));
    link.expect(MessageCase.CREDIT);
    link.sendBatch(2, "1", "2000");
    results = link.results();
    while (!results.hasFailure()) {
      results = link.results();
    }
    assertEquals(Kind.RETRY, results.getFailure().getKind());
    link.expect(MessageCase.CREDIT);
    var alone = link.ask(3, "2000").get(0).getFailure();
    assertEquals(Kind.PERMANENT, alone.getKind());
    assertTrue(alone.getMessage().contains("more than 1000 bytes"));
    link.ask(4, "100");
  }

  @Test
  void outputsBeyondAnArrayAreTooLarge() throws IOException {
    byte[] large = new byte[1 << 20];
    List<Output> outputs = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      outputs.add(Output.value(large));
    }
    Result all = Result.of(outputs);
    Link link = worker.start(record -> all, Link.hello().setMaxFrameBytes(-1));
    assertEquals(Kind.PERMANENT, link.ask(1, "v").get(0).getFailure().getKind());
  }

  @Test
  void drain() throws Exception {
    Gates gates = new Gates();
    Link link = worker.start(gates);
    link.sendBatch(1, "slow");
    link.sendDrain();
    link.sendBatch(2, "");
    // The batch behind the Drain does not wait for the one before it.
    assertEquals(2, link.results().getBatch());
    link.expect(MessageCase.CREDIT);
    link.ping(1);
    gates.open("slow");
    assertEquals(1, link.results().getBatch());
    link.expect(MessageCase.CREDIT);
    link.expect(MessageCase.DRAINED);
    link.sendDrain();
    link.expect(MessageCase.DRAINED);
    link.ask(3, "");
  }

  @Test
  void closeOfTheWorker() throws IOException {
    Gates gates = new Gates();
    Link link = worker.start(gates, Link.hello().setByteCredit(0));
    link.sendBatch(1, "slow");
    link.sendBatch(2, "");
    link.sendClose("");
    credit(link, 1000);
    // The worker may end its direction too.
    link.end();
    gates.open("slow");
    assertEquals(3, link.results().getBatch() + link.results().getBatch());
    while (link.receive() != null) {}
    worker.ended();
  }

  @Test
  void stopWithWorkInHand() throws Exception {
    Gates gates = new Gates();
    Link link = worker.start(gates);
    link.sendBatch(1, "slow");
    gates.awaitReached("slow");
    worker.events.add(new Event.Stop());
    gates.open("slow");
    assertEquals(1, link.results().getBatch());
    assertEquals("", link.expectAfterCredit(MessageCase.CLOSE).getClose().getError());
    // It reads on to the end, or the worker might lose the results, and says nothing more.
    link.sendBatch(2, "");
    byte[] ping = Link.frame(WorkerFrame.newBuilder().setPing(ping(1)));
    ByteBuffer many = ByteBuffer.allocate(100_000 * ping.length);
    while (many.hasRemaining()) {
      many.put(ping);
    }
    link.send(many.array());
    link.end();
    assertNull(link.receive());
    worker.ended();
  }

  private static dev.millrace.processor.v1.Ping ping(long id) {
    return dev.millrace.processor.v1.Ping.newBuilder().setId(id).build();
  }

  @Test
  void stopAndThenGivenUp() throws Exception {
    Gates gates = new Gates();
    Link link = worker.start(gates);
    link.sendBatch(1, "never");
    gates.awaitReached("never");
    worker.events.add(new Event.Stop());
    link.sendClose("too slow");
    worker.failed("the worker has given up this process: too slow");
  }

  @Test
  void workerThatClosesAndGoesIsNotWaitedForLong() throws Exception {
    worker.listen();
    FrameWriter writer = new FrameWriter(Dial.connect(worker.socket, worker.events), "test");
    Session session = new Session(writer, 1, 1);
    session.came(7);
    session.close();
    session.endReading();
    MillraceException reason = session.finishBatches(Session.NO_LIMIT);
    assertEquals("batches without results: 1", reason.getMessage());
  }

  @Test
  void endsWithoutClose() throws IOException {
    Link link = worker.start(new Gates());
    link.sendBatch(1, "never");
    link.close();
    worker.failed("the worker has closed the connection without a word");
  }

  @Test
  void codeThatNeverReturnsHoldsNothingUp() throws Exception {
    Gates gates = new Gates();
    Link link = worker.start(gates);
    link.sendBatch(1, "never");
    gates.awaitReached("never");
    link.sendClose("too slow");
    worker.failed("the worker has given up this process: too slow");
    assertNull(link.receive());
  }

  @Test
  void otherConnectionsAnswerWhenOneIsLost() throws Exception {
    worker.listen();
    Gates gates = new Gates();
    worker.run(Millrace.builder().threads(2), new Code.Each(gates), 2);
    Link lost = worker.accept();
    lost.greet(Link.hello());
    Link other = worker.accept();
    other.greet(Link.hello());
    other.sendBatch(1, "other");
    gates.awaitReached("other");
    lost.sendBatch(1, "never");
    gates.awaitReached("never");
    lost.sendClose("too slow");
    assertNull(lost.receive());
    gates.open("other");
    assertEquals(1, other.results().getBatch());
    other.expectAfterCredit(MessageCase.CLOSE);
    other.end();
    worker.failed("too slow");
  }

  static Stream<Arguments> garbage() {
    byte[] hello = Link.frame(WorkerFrame.newBuilder().setHello(Link.hello()));
    UnaryOperator<byte[]> greeted = frame -> join(hello, frame);
    byte[] one = Link.frame(Link.batch(1, "v"));
    return Stream.of(
        Arguments.of(new byte[4], "a frame has 0 bytes"),
        Arguments.of("HTTP/1.1 400 Bad".getBytes(), "a frame has 1213486160 bytes"),
        Arguments.of(new byte[] {-1, -1, -1, -1}, "a frame has 4294967295 bytes"),
        Arguments.of(new byte[] {0, 0, 0, 1, -1}, "a frame is not Protobuf"),
        Arguments.of(new byte[] {0, 0, 0, 2, 0x7a, 0}, "a frame has no message"),
        Arguments.of(
            Link.frame(WorkerFrame.newBuilder().setPing(ping(1))), "came before the Hello"),
        Arguments.of(
            Link.frame(WorkerFrame.newBuilder().setHello(Link.hello().setVersion(2))),
            "it has chosen version 2"),
        Arguments.of(greeted.apply(hello), "a second Hello"),
        Arguments.of(greeted.apply(Link.frame(Link.batch(1))), "batch 1 has no records"),
        Arguments.of(greeted.apply(join(one, one)), "the id 1 came twice"));
  }

  private static byte[] join(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  @ParameterizedTest
  @MethodSource("garbage")
  void mistakesEndTheConnection(byte[] bytes, String reason) throws IOException {
    worker.listen();
    worker.run(Millrace.builder(), new Code.Each(record -> Result.none()), 1);
    Link link = worker.accept();
    link.expect(MessageCase.HELLO);
    link.send(bytes);
    ProcessFrame frame = link.receive();
    while (!frame.hasClose()) {
      frame = link.receive();
    }
    Close close = frame.getClose();
    assertTrue(close.getError().contains(reason), close.getError());
    worker.failed("the worker has broken the protocol: ");
  }

  @Test
  void batchWithoutCredit() throws IOException {
    Link link = worker.start(new Gates());
    for (int id = 1; id <= 4; id++) {
      link.sendBatch(id, "never");
    }
    String error = link.expect(MessageCase.CLOSE).getClose().getError();
    assertEquals("batch 4 came without credit", error);
    worker.failed(error);
  }

  @Test
  void frameThatIsCut() throws IOException {
    Link link = worker.start(new Gates());
    link.send(new byte[] {0, 0, 0, 10, 1, 2});
    link.close();
    worker.failed("the connection ended within a frame");
  }

  @Test
  void socketThatComesLater() throws Exception {
    worker.run(Millrace.builder(), new Code.Each(record -> Result.none()), 1);
    assertFalse(worker.events.await(100), "it waits");
    worker.listen();
    worker.accept().greet(Link.hello());
  }

  @Test
  void stopWhileThereIsNoSocket() {
    worker.run(Millrace.builder(), new Code.Each(record -> Result.none()), 1);
    worker.events.add(new Event.Stop());
    worker.ended();
  }

  @Test
  void manyBatches() throws IOException {
    Link link = worker.start(record -> Output.value(record.value()));
    for (int id = 1; id <= 500; id++) {
      String value = Integer.toString(id);
      assertEquals(value, link.ask(id, value).get(0).getOutputs(0).getValue().toStringUtf8());
    }
  }
}
