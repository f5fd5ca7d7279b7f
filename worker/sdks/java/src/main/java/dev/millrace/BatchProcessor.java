package dev.millrace;

import java.util.List;

/**
 * Turns a batch of records into results, for code that handles many records at once better than one
 * after another.
 *
 * <p>Several threads call it at the same time, for different batches.
 */
@FunctionalInterface
public interface BatchProcessor {
  /**
   * Processes a batch.
   *
   * @param records at least one record. Records whose order counts are in their order
   * @return one result for each record, in the order of the records. {@link Result#failed} is the
   *     result of a record whose attempt has failed
   * @throws Exception if the batch fails as a whole. The worker tries smaller batches until it
   *     knows which record is at fault
   */
  List<? extends Result> process(List<Record> records) throws Exception;
}
