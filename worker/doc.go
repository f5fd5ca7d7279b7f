// Package worker is the Go SDK of Millrace: it runs a Processor on every
// record of a Kafka topic in parallel, writes the results to another topic and
// commits an offset only when the results of everything below it are safe.
//
// A program for a StreamProcessor is a Processor and one call:
//
//	func main() {
//		worker.Main(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
//			return bytes.ToUpper(rec.Value), nil
//		}))
//	}
//
// Map and Func make a Processor of a function, Batch makes one of a BatchProcessor, and
// PerGoroutine one of instances that can't be shared. MainWith builds the processor with the
// worker's configuration, logger and metrics, and closes it at the end. Permanent,
// RetryAfter and Drop say in an error what becomes of the record.
//
// A Processor may have hooks: a Sequencer sees records in their partition's order, an
// OutcomeObserver hears how each record ended, a PartitionHolder keeps state in step with
// the partitions that come and go. Package workertest runs a Processor in tests, without a
// broker.
//
// The package stands above the data path, which is in worker/internal, and adds the
// process around it: configuration, logging, signals and the HTTP endpoints.
//
// Compatibility: from the first release on, exported names keep their meaning as
// semantic versioning demands.
package worker
