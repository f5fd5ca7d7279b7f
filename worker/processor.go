package worker

import (
	"context"
	"time"
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
// A batch holds at most BatchSize records, and fewer when fewer are waiting; a BatchLimiter
// lets them wait for others. Records that are in flight anyway (inFlight.records) bound a
// batch too.
type BatchProcessor interface {
	// BatchSize returns the highest number of records in a call. The worker asks once,
	// before the first record. It raises numbers below 1 to 1, and lowers numbers above
	// 10,000 to 10,000.
	BatchSize() int
	// ProcessBatch is called like Process, with several records. It must not keep recs
	// and out.
	ProcessBatch(ctx context.Context, recs []*Record, out []*Outputs) error
}

// BatchLimiter is an optional part of a BatchProcessor, with further limits of its batches.
// The worker asks once, before the first record.
type BatchLimiter interface {
	// BatchBytes returns the most bytes of keys, values and headers in a call of several
	// records; 0 is no limit.
	BatchBytes() int
	// BatchLinger returns how long records may wait until BatchSize of them can share a
	// call, 10 seconds at most; with 0 a goroutine that is free takes what there is. The
	// records that wait for a drain don't linger.
	BatchLinger() time.Duration
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

// PartitionHolder is an optional hook of a processor that keeps state for a partition, or
// for its keys, in step with the records: the state must be there before the first record,
// and another worker goes on where this one ends.
//
// The calls come from the goroutine that dispatches the records of a member, so keep them
// short: its partitions wait. Calls for partitions of several members of one process may
// overlap. offset is the first one that is read, or that the next owner reads.
type PartitionHolder interface {
	// Assigned is called before the first record of the partition is shown to Sequence or
	// Process. If it panics, the worker ends.
	Assigned(topic string, partition int32, offset int64)
	// Revoked is called before the partition is given back: each of its records below
	// offset is settled, no call for one runs, and the offset is committed unless Kafka
	// could not be reached.
	Revoked(topic string, partition int32, offset int64)
	// Lost is called in place of Revoked if other workers may have the partition already,
	// if records of it could not be finished in time, or if they are about to be read once
	// more: forget what you know of it. Calls that have begun may still run; their results
	// count for nothing.
	Lost(topic string, partition int32)
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
