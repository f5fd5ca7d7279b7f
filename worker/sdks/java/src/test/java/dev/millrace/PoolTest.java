package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.processor.v1.ProcessFrame.MessageCase;
import dev.millrace.processor.v1.ProcessHello;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PoolTest {
  private static Record record(String value) {
    return Record.builder().value(value).build();
  }

  /** Returns the worker's end of a connection whose process works with a pool. */
  private static Link start(Worker worker, Pool pool) throws Exception {
    worker.listen();
    ProcessHello hello = ProcessHello.newBuilder().setBatchCredit(4).build();
    new Connection(Dial.connect(worker.socket, worker.events), 0, hello, pool, worker.events);
    Link link = worker.accept();
    link.greet(Link.hello());
    return link;
  }

  @Test
  void everyRecordHasThread() throws Exception {
    CyclicBarrier all = new CyclicBarrier(50);
    Code code =
        new Code.Each(
            record -> {
              all.await();
              return record.text().equals("7") ? Result.none() : Output.value(record.value());
            });
    // As virtual threads are used, where Java has them.
    var threads = Executors.newCachedThreadPool();
    try (Worker worker = new Worker()) {
      Link link = start(worker, new VirtualPool(code, threads));
      for (int id = 1; id <= 20; id++) {
        String[] values = new String[50];
        for (int i = 0; i < values.length; i++) {
          values[i] = Integer.toString(i);
        }
        var results = link.ask(id, values);
        assertEquals(0, results.get(7).getOutputsCount());
        assertEquals("8", results.get(8).getOutputs(0).getValue().toStringUtf8());
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void virtualThreadsOrOthers() throws Exception {
    CyclicBarrier all = new CyclicBarrier(100);
    Code code =
        new Code.Each(
            record -> {
              all.await();
              return Result.none();
            });
    try (Worker worker = new Worker()) {
      worker.listen();
      worker.run(Millrace.builder().virtualThreads(), code, 1);
      Link link = worker.accept();
      link.greet(Link.hello());
      assertFalse(link.ask(1, "v ".repeat(100).split(" ")).get(0).hasFailure());
    }
  }

  @Test
  void resultsThatWaitedAreSentBetweenRecords() throws Exception {
    Code none = new Code.Each(record -> Result.none());
    try (Worker worker = new Worker()) {
      worker.listen();
      var channel = Dial.connect(worker.socket, worker.events);
      Link link = worker.accept();
      FrameWriter writer = new FrameWriter(channel, "test");
      writer.addCredit(1000);
      Session session = new Session(writer, 1);
      session.greet(Link.hello().build());
      var records = java.util.List.of(record("a"), record("b"), record("c"));
      Job job = new Job(session, 1, records, none.lanes(records, "Unordered"));
      Part part = new Part(job);
      long start = System.nanoTime();
      part.put(0, Result.none(), start);
      part.put(1, Output.same(), start + TimeUnit.MILLISECONDS.toNanos(51));
      assertEquals(2, link.expect(MessageCase.RESULTS).getResults().getResultsCount());
      part.put(2, Output.same(), start + TimeUnit.MILLISECONDS.toNanos(52));
      part.flush(start);
      assertEquals(1, link.expect(MessageCase.RESULTS).getResults().getResultsCount());
    }
  }
}
