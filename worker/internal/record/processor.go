package record

import "context"

// Processor turns one record into any number of others.
//
// Process is called from many goroutines at once, for different records; which
// records may run at the same time is the StreamProcessor's ordering. Under Key,
// records without a key have no order. Emitting nothing filters the record. An
// error, a panic, or a return after ctx is done is a failed attempt, which is
// tried again as the failure policy says; its outputs are thrown away. ctx ends
// when the attempt's timeout has passed or the worker can't wait any longer;
// CPU-bound code should look at it now and then.
type Processor interface {
	Process(ctx context.Context, rec *Record, out *Outputs) error
}

// BatchProcessor turns several records into others in one call, for work that
// is cheaper in bulk, such as inference.
//
// out[i] takes the results of recs[i]; out[i].Fail fails that record alone. A
// returned error, a panic or an overrun fails the call without saying which
// record is at fault: the call's records are tried again in calls of half as
// many, with a wait between them, and only a record that fails alone is charged
// with a failed attempt. So a call may hold records that succeeded in an earlier
// call. A permanent error of a call of several is halved without a wait.
//
// Under the orderings Key and Partition the records of one key or partition come
// in their order, and no other call holds records of the same key or partition.
// A batch holds at most BatchSize records, and fewer when fewer are waiting.
type BatchProcessor interface {
	// BatchSize is asked once, before the first record; it is at least 1.
	BatchSize() int
	ProcessBatch(ctx context.Context, recs []*Record, out []*Outputs) error
}

// Sequencer is an optional hook of a processor for steps that need a
// partition's records in their order, whatever the ordering of the pool.
//
// Sequence sees each record once per assignment, in the order of its
// partition's offsets, before it is dispatched; calls for different partitions
// never overlap within one member of the group. Returning false filters the
// record. It runs on the path that feeds the pool: keep it short. The record's
// bytes are borrowed until it returns. A panic counts as the record's last
// failed attempt.
type Sequencer interface {
	Sequence(rec *Record) (keep bool)
}

// OutcomeObserver is an optional hook of a processor that is told what became
// of each record: the confirmation of delivery.
//
// Observe is called once for each record, after its outcome is certain and
// before its offset can be committed, from goroutines of the worker and
// possibly from several at once. The Outcome is valid until it returns. It
// must not block. A panic is logged and counted, and changes nothing about the
// record.
type OutcomeObserver interface {
	Observe(o *Outcome)
}

// Fate is what became of a record.
type Fate uint8

// The fates of a record. All of them settle its offset.
const (
	// Delivered: every output is acknowledged by all in-sync replicas.
	Delivered Fate = iota
	// Filtered: the processor emitted nothing.
	Filtered
	// DeadLettered: its attempts were exhausted and the dead-letter topic has
	// acknowledged it.
	DeadLettered
	// Dropped: its attempts were exhausted and the policy is to drop it.
	Dropped
)

// String returns the fate's name in lower case with hyphens.
func (f Fate) String() string {
	switch f {
	case Delivered:
		return "delivered"
	case Filtered:
		return "filtered"
	case DeadLettered:
		return "dead-lettered"
	case Dropped:
		return "dropped"
	default:
		return "unknown"
	}
}

// Position names a record in a log.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Outcome is the end of one record's way through the worker.
type Outcome struct {
	// Input is where the record was read.
	Input Position
	Fate  Fate
	// Outputs are where its results were written, in no promised order; for
	// a dead-lettered record, where the dead letter is.
	Outputs []Position
	// Err is the last attempt's error of a dead-lettered or dropped record.
	Err error
}

// Func adapts a function that returns what to write to a Processor.
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
