package dev.millrace;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Calls a processor as a worker has it called: an exception becomes a failed result. */
public final class Attempt {
  private Attempt() {}

  /**
   * Calls a processor on a record.
   *
   * @param processor the processor
   * @param record the record
   * @return the result, never null
   */
  public static Result of(RecordProcessor processor, Record record) {
    try {
      Result result = processor.process(record);
      return result != null ? result : nothingReturned();
    } catch (Throwable error) {
      return Result.failed(caught(error));
    }
  }

  /**
   * Calls a processor on a batch.
   *
   * @param processor the processor
   * @param records the records
   * @return one result for each record; a single failed one if the batch has failed as a whole,
   *     even if it has several records
   */
  public static List<Result> of(BatchProcessor processor, List<Record> records) {
    List<? extends Result> results;
    try {
      results = processor.process(Collections.unmodifiableList(records));
    } catch (Throwable error) {
      return List.of(Result.failed(caught(error)));
    }
    if (results == null) {
      return List.of(nothingReturned());
    }
    List<Result> checked = new ArrayList<>(records.size());
    for (Result result : results) {
      checked.add(result != null ? result : nothingReturned());
    }
    if (checked.size() != records.size()) {
      String problem =
          "the processor returned %d results for %d records: it has to return one for each"
              .formatted(checked.size(), records.size());
      return List.of(Result.failed(new IllegalStateException(problem)));
    }
    return checked;
  }

  private static Result nothingReturned() {
    return Result.failed(
        new NullPointerException(
            "the processor returned null: Result.none() is the result that writes nothing"));
  }

  /** Returns what a processor has thrown, unless the process can't be relied upon any more. */
  static Throwable caught(Throwable error) {
    if (error instanceof VirtualMachineError fatal && !(error instanceof StackOverflowError)) {
      throw fatal;
    }
    return error;
  }
}
