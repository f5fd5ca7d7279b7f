package dev.millrace;

import java.util.List;

/** The user's code, and how it is called. */
sealed interface Code {
  /** Returns the lanes that the records of a batch are worked on in. */
  Lanes lanes(List<Record> records, String ordering);

  /** Puts the results of a lane's records. */
  void run(Job job, int lane, Sink results);

  /** Takes the results of records. */
  interface Sink {
    void put(int place, Result result, long now);
  }

  /** Code for one record. */
  record Each(RecordProcessor processor) implements Code {
    @Override
    public Lanes lanes(List<Record> records, String ordering) {
      return Lanes.of(records, ordering);
    }

    @Override
    public void run(Job job, int lane, Sink results) {
      int count = job.lanes.size(lane);
      for (int i = 0; i < count && !job.hasFailed(); i++) {
        int place = job.lanes.place(lane, i);
        Result result = Attempt.of(processor, job.records.get(place));
        clearInterrupt();
        results.put(place, result, System.nanoTime());
      }
    }
  }

  /** Code for a batch. */
  record Whole(BatchProcessor processor) implements Code {
    @Override
    public Lanes lanes(List<Record> records, String ordering) {
      return Lanes.whole(records.size());
    }

    @Override
    public void run(Job job, int lane, Sink sink) {
      List<Result> results = Attempt.of(processor, job.records);
      clearInterrupt();
      if (results.size() != job.records.size()) {
        Result.Failed failed = (Result.Failed) results.get(0);
        job.fail(FailureMessage.of(failed.cause()));
        return;
      }
      long now = System.nanoTime();
      for (int place = 0; place < results.size() && !job.hasFailed(); place++) {
        sink.put(place, results.get(place), now);
      }
    }
  }

  /** Keeps an interrupt of one record's code from the next one's. */
  private static void clearInterrupt() {
    Thread.interrupted();
  }
}
