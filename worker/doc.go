// Package worker is the Go SDK of Millrace: it runs a Processor on every
// record of a Kafka topic in parallel, writes the results to another topic and
// commits an offset only when the results of everything below it are safe.
//
// A program for a StreamProcessor is a Processor and one call:
//
//	func main() {
//		worker.Main(worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
//			return bytes.ToUpper(rec.Value), nil
//		}))
//	}
//
// It stands above the data path (package engine and what that joins) and adds
// nothing to it but the process around it: configuration, logging, signals
// and the HTTP endpoints.
package worker
