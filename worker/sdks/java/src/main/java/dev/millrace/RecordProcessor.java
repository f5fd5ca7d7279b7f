package dev.millrace;

/**
 * Turns one record into a result.
 *
 * <p>Several threads call it at the same time, for different records. Under the ordering {@code
 * Key} or {@code Partition} of the manifest, records whose order counts come one after another.
 */
@FunctionalInterface
public interface RecordProcessor {
  /**
   * Processes a record.
   *
   * @param record the record
   * @return what to write: an {@link Output}, several, or {@link Result#none()}; never null
   * @throws Exception if the attempt fails. The worker tries again, as the manifest says. A {@link
   *     Failure} says more
   */
  Result process(Record record) throws Exception;
}
