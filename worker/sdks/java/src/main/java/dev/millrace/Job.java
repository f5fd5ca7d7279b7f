package dev.millrace;

import dev.millrace.processor.v1.Failure;
import dev.millrace.processor.v1.Failure.Kind;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.Results;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/** A batch that threads work on. They take its lanes one after another. */
final class Job {
  final long id;
  final List<Record> records;
  final Lanes lanes;
  private final Session session;

  /** The first lane that no thread has taken. */
  private final AtomicInteger next = new AtomicInteger();

  private final AtomicInteger unfinished;
  // A lock rather than a monitor, which would hold a virtual thread's carrier before Java 24.
  private final ReentrantLock sending = new ReentrantLock();
  private long sentBytes; // guarded by sending
  private volatile boolean failed; // as a whole: nothing of it is sent any more

  Job(Session session, long id, List<Record> records, Lanes lanes) {
    this.session = session;
    this.id = id;
    this.records = records;
    this.lanes = lanes;
    this.unfinished = new AtomicInteger(lanes.count());
  }

  /** Some lanes: from the first one to the one before the end. */
  record Taken(int first, int end) {}

  /**
   * Returns lanes for the calling thread, which is one of several; null if all are taken. There are
   * fewer of them towards the end, so that the threads end at about the same time.
   */
  Taken takeLanes(int threads) {
    while (true) {
      int first = next.get();
      int left = lanes.count() - first;
      if (left <= 0) {
        return null;
      }
      int end = first + Math.max(1, left / (4 * threads));
      if (next.compareAndSet(first, end)) {
        return new Taken(first, end);
      }
    }
  }

  boolean allTaken() {
    return next.get() >= lanes.count();
  }

  /** Says that the results of so many lanes are sent. */
  void finish(int lanes) {
    if (unfinished.addAndGet(-lanes) == 0) {
      session.answered(id);
    }
  }

  /** Returns the most bytes that all results of the batch may have. */
  long largest() {
    return session.largest();
  }

  /** Reports whether further results are of no use. */
  boolean hasFailed() {
    return failed;
  }

  /** Sends results of some records. Threads may do so at the same time. */
  void send(Frame frame) {
    sending.lock();
    try {
      if (failed) {
        return;
      }
      sentBytes += frame.size();
      if (sentBytes > largest()) {
        failTooLarge();
      } else {
        session.writer.sendResults(frame);
      }
    } finally {
      sending.unlock();
    }
  }

  /** Fails the batch because its results are too large. */
  void failTooLarge() {
    String problem = "the results have more than " + largest() + " bytes, which the worker refuses";
    // A record that is alone is at fault itself.
    fail(FailureMessage.of(records.size() == 1 ? Kind.PERMANENT : Kind.RETRY, problem));
  }

  /** Fails the batch. A batch of one record has a failure of this record. */
  void fail(Failure failure) {
    sending.lock();
    try {
      if (failed) {
        return;
      }
      failed = true;
      if (records.size() == 1) {
        ResultsBuffer only = new ResultsBuffer(id);
        only.add(0, failure);
        session.writer.sendResults(only.take());
      } else {
        Results results = Results.newBuilder().setBatch(id).setFailure(failure).build();
        session.writer.sendResults(Frame.of(ProcessFrame.newBuilder().setResults(results).build()));
      }
    } finally {
      sending.unlock();
    }
  }
}
