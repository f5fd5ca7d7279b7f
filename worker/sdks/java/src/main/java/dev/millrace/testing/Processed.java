package dev.millrace.testing;

import dev.millrace.Output;
import dev.millrace.Record;
import dev.millrace.Result;
import java.util.List;

/**
 * What has become of a record.
 *
 * @param outputs the records that the worker would write
 * @param failure what the processor has thrown, null if the attempt has not failed
 */
public record Processed(List<Written> outputs, Throwable failure) {
  static Processed of(Result result, Record record) {
    if (result instanceof Result.Failed failed) {
      return new Processed(List.of(), failed.cause());
    }
    List<Output> outputs =
        result instanceof Output output ? List.of(output) : ((Result.Outputs) result).list();
    List<Written> written = outputs.stream().map(output -> Written.of(output, record)).toList();
    return new Processed(written, null);
  }

  /**
   * Reports whether nothing is written, without a failure.
   *
   * @return whether the record is filtered
   */
  public boolean filtered() {
    return outputs.isEmpty() && failure == null;
  }

  /**
   * Returns the only output.
   *
   * @return the output
   * @throws AssertionError if there is another number of outputs, or a failure
   */
  public Written output() {
    if (failure != null) {
      throw new AssertionError("the attempt has failed", failure);
    }
    if (outputs.size() != 1) {
      throw new AssertionError("there are " + outputs.size() + " outputs instead of one");
    }
    return outputs.get(0);
  }
}
