/**
 * Processors of Kafka records for Millrace.
 *
 * <p>{@link dev.millrace.Millrace} runs a function on the records that a worker hands to this
 * process over a Unix socket. The worker reads from Kafka, tries again, writes and commits.
 */
package dev.millrace;
