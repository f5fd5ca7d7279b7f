package dev.millrace;

import java.util.List;
import java.util.Objects;

/** What becomes of a record: any number of outputs, or a failed attempt. */
public sealed interface Result permits Output, Result.Outputs, Result.Failed {
  /**
   * Returns a result that writes nothing: the record is filtered.
   *
   * @return the result
   */
  static Result none() {
    return Outputs.NONE;
  }

  /**
   * Returns a result that writes several records.
   *
   * @param outputs the records, in the order in which they are written
   * @return the result
   */
  static Result of(Output... outputs) {
    return new Outputs(List.of(outputs));
  }

  /**
   * Returns a result that writes several records.
   *
   * @param outputs the records, in the order in which they are written
   * @return the result
   */
  static Result of(List<Output> outputs) {
    return new Outputs(outputs);
  }

  /**
   * Returns the result of a record whose attempt has failed, for a {@link BatchProcessor}. A {@link
   * RecordProcessor} throws the exception.
   *
   * @param cause the reason; a {@link Failure} says what becomes of the record
   * @return the result
   */
  static Result failed(Throwable cause) {
    return new Failed(cause);
  }

  /**
   * Several outputs, or none.
   *
   * @param list the outputs
   */
  record Outputs(List<Output> list) implements Result {
    private static final Outputs NONE = new Outputs(List.of());

    /**
     * Copies the list.
     *
     * @param list the outputs, none of them null
     */
    public Outputs {
      list = List.copyOf(list);
    }
  }

  /**
   * A failed attempt.
   *
   * @param cause the reason
   */
  record Failed(Throwable cause) implements Result {
    /**
     * Checks that there is a reason.
     *
     * @param cause the reason
     */
    public Failed {
      Objects.requireNonNull(cause, "cause");
    }
  }
}
