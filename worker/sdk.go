package worker

import (
	"context"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// The types that a processor deals with; see package record for what they
// promise.
type (
	// Record is one Kafka message as it was read.
	Record = record.Record
	// Header is one header of a record.
	Header = record.Header
	// Output is one record to be written.
	Output = record.Output
	// Outputs collects what a processor makes of a record.
	Outputs = record.Outputs
	// Processor turns one record into any number of others.
	Processor = record.Processor
	// BatchProcessor turns several records into others in one call.
	BatchProcessor = record.BatchProcessor
	// Sequencer is the hook that sees records in their partition's order.
	Sequencer = record.Sequencer
	// OutcomeObserver is the hook that is told what became of each record.
	OutcomeObserver = record.OutcomeObserver
	// Outcome is the end of a record's way through the worker.
	Outcome = record.Outcome
	// Fate is what became of a record.
	Fate = record.Fate
	// Position names a record in a log.
	Position = record.Position
	// Func adapts a function that returns outputs to a Processor.
	Func = record.Func
	// Map adapts a function from record to value to a Processor.
	Map = record.Map
)

// The fates of a record.
const (
	Delivered    = record.Delivered
	Filtered     = record.Filtered
	DeadLettered = record.DeadLettered
	Dropped      = record.Dropped
)

// Permanent wraps a processor's error to say that trying the record again is
// of no use: it goes where exhausted records go at once.
func Permanent(err error) error { return failure.Permanent(err) }

// Batch makes a Processor of a BatchProcessor, for Run and Main. Hooks that b
// has are kept.
func Batch(b BatchProcessor) Processor { return batch{b} }

type batch struct{ BatchProcessor }

// Unwrap returns the user's own value, which may have hooks.
func (b batch) Unwrap() any { return b.BatchProcessor }

// Process runs a batch of one.
func (b batch) Process(ctx context.Context, rec *Record, out *Outputs) error {
	return b.ProcessBatch(ctx, []*Record{rec}, []*Outputs{out})
}
