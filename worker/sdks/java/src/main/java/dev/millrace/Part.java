package dev.millrace;

import java.util.List;
import java.util.concurrent.TimeUnit;

/** The results that a thread has made of a job and not sent yet. */
final class Part implements Code.Sink {
  // Results are sent at the latest when they have this size, or between two records when the first
  // of them is this old. Then a crash repeats little.
  private static final int SEND_BYTES = 1 << 20;
  private static final long SEND_AFTER = TimeUnit.MILLISECONDS.toNanos(50);

  private final Job job;
  private final ResultsBuffer results;
  private long since = System.nanoTime();

  Part(Job job) {
    this.job = job;
    this.results = new ResultsBuffer(job.id);
  }

  /** Adds the result of a record, and sends what has waited for long enough by now. */
  @Override
  public void put(int place, Result result, long now) {
    if (result instanceof Output output) {
      put(place, List.of(output));
    } else if (result instanceof Result.Outputs outputs) {
      put(place, outputs.list());
    } else if (result instanceof Result.Failed failed) {
      results.add(place, FailureMessage.of(failed.cause()));
    }
    if (results.size() >= SEND_BYTES || now - since >= SEND_AFTER) {
      flush(now);
    }
  }

  private void put(int place, List<Output> outputs) {
    long size = ResultsBuffer.size(place, outputs);
    if (size > job.largest()) {
      job.failTooLarge();
    } else {
      results.add(place, outputs, (int) size);
    }
  }

  /** Sends all results. */
  void flush(long now) {
    if (results.size() > 0) {
      job.send(results.take());
    }
    since = now;
  }
}
