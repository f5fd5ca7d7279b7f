package dev.millrace.testing;

import dev.millrace.Attempt;
import dev.millrace.BatchProcessor;
import dev.millrace.Record;
import dev.millrace.RecordProcessor;
import dev.millrace.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs a processor on records, without a worker.
 *
 * <pre>{@code
 * var shouted = Testing.process(Shout::shout, Record.builder().value("hello").build());
 * assertEquals("HELLO", shouted.output().text());
 * }</pre>
 */
public final class Testing {
  private Testing() {}

  /**
   * Runs a processor on a record.
   *
   * @param processor the processor
   * @param record the record, of {@link Record#builder}
   * @return what becomes of the record
   */
  public static Processed process(RecordProcessor processor, Record record) {
    return Processed.of(Attempt.of(processor, record), record);
  }

  /**
   * Runs a processor on a batch.
   *
   * @param processor the processor
   * @param records the records, of {@link Record#builder}
   * @return what becomes of each record. If the batch has failed as a whole, so has each of them
   */
  public static List<Processed> processBatch(BatchProcessor processor, Record... records) {
    List<Record> batch = Arrays.asList(records);
    List<Result> results = Attempt.of(processor, batch);
    List<Processed> processed = new ArrayList<>();
    for (int i = 0; i < batch.size(); i++) {
      Result result = results.size() == batch.size() ? results.get(i) : results.get(0);
      processed.add(Processed.of(result, batch.get(i)));
    }
    return processed;
  }
}
