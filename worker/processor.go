package worker

import (
	"context"

	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// Processor turns one record into any number of others.
//
// The worker calls Process from many goroutines at once, for different records. The
// StreamProcessor's ordering decides which records may run at the same time; under Key,
// records without a key have no order. Emitting nothing filters the record. An
// error, a panic, or a return after ctx is done is a failed attempt: the worker drops
// its outputs and tries again as the failure policy says. ctx ends when the attempt's
// timeout has passed or the worker can't wait any longer; CPU-bound code should check
// it now and then.
type Processor interface {
	Process(ctx context.Context, rec *Record, out *Outputs) error
}

// BatchProcessor turns several records into others in one call, for work that
// is cheaper in bulk, such as inference. Batch makes a Processor of it.
//
// out[i] takes the results of recs[i]; out[i].Fail fails that record alone. A
// returned error, a panic or an overrun fails the call without saying which
// record is at fault. The worker then tries the call's records again in calls of half
// as many, with a wait between them, and charges only a record that fails alone with a
// failed attempt. So a call may hold records that succeeded in an earlier
// call. After a permanent error there is no wait.
//
// Under the orderings Key and Partition the records of one key or partition come
// in their order, and no other call holds records of the same key or partition.
// A batch holds at most BatchSize records, and fewer when fewer are waiting.
type BatchProcessor interface {
	// BatchSize returns the highest number of records in a call. The worker asks once,
	// before the first record. It raises numbers below 1 to 1, and lowers numbers above
	// 256 to 256.
	BatchSize() int
	// ProcessBatch is called like Process, with several records. It must not keep recs
	// and out.
	ProcessBatch(ctx context.Context, recs []*Record, out []*Outputs) error
}

// Sequencer is an optional hook of a processor for steps that need a
// partition's records in their order, whatever the ordering of the pool.
//
// Sequence sees each record once per assignment, in the order of its
// partition's offsets, before it is dispatched; calls for different partitions
// never overlap within one member of the group. Returning false filters the
// record. Sequence runs on the path that feeds the pool: keep it short. The record's
// bytes are borrowed until it returns. A panic counts as the record's last
// failed attempt.
type Sequencer interface {
	Sequence(rec *Record) (keep bool)
}

// OutcomeObserver is an optional hook of a processor that hears how each record ended:
// the confirmation of delivery.
//
// The worker calls Observe once for each record, after its outcome is certain and
// before its offset can be committed, from the worker's goroutines and
// possibly from several at once. The Outcome is valid until Observe returns. Observe
// must not block. The worker logs and counts a panic; it changes nothing about the
// record.
type OutcomeObserver interface {
	Observe(o *Outcome)
}

// Func adapts a function that returns the records to write to a Processor.
type Func func(ctx context.Context, rec *Record) ([]Output, error)

// Process calls f.
func (f Func) Process(ctx context.Context, rec *Record, out *Outputs) error {
	results, err := f(ctx, rec)
	if err != nil {
		return err
	}
	for i := range results {
		out.Emit(results[i])
	}
	return nil
}

// Map adapts a function from record to value to a Processor: one record out
// for each one in, with its key, headers and timestamp. A nil value is a
// tombstone.
type Map func(ctx context.Context, rec *Record) (value []byte, err error)

// Process calls f.
func (f Map) Process(ctx context.Context, rec *Record, out *Outputs) error {
	value, err := f(ctx, rec)
	if err != nil {
		return err
	}
	out.EmitValue(value)
	return nil
}

// Batch makes a Processor of a BatchProcessor, for Run and Main. The worker finds the
// hooks that b has.
func Batch(b BatchProcessor) Processor { return batch{b} }

type batch struct{ BatchProcessor }

// Unwrap returns the user's value, which may have hooks.
func (b batch) Unwrap() any { return b.BatchProcessor }

// Process runs a batch of one.
func (b batch) Process(ctx context.Context, rec *Record, out *Outputs) error {
	return b.ProcessBatch(ctx, []*Record{rec}, []*Outputs{out})
}

// Permanent wraps a processor's error to say that another attempt can't succeed: the
// worker treats the record as exhausted at once. Permanent(nil) is nil.
func Permanent(err error) error { return failure.Permanent(err) }
