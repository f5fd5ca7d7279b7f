// Package usercode calls the user's code: the processor and its hooks.
//
// It stands between the engine and the types of package worker. The engine works
// with the types of package record, a user's processor with those of package worker,
// and package worker can't be imported from here, since it imports the engine. So Of
// takes the user's types as type parameters and converts pointers to them; each of
// them has the same layout in memory as its counterpart in package record.
//
// Package workertest calls processors through this package too, so that a test of a
// user's program and a worker treat them alike.
package usercode

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Code is a user's processor with its hooks. Its methods may be called by several
// goroutines at once. They return a panic of the user's code as a *PanicError.
type Code struct {
	process  func(context.Context, *record.Record, *record.Outputs) error
	batch    func(context.Context, []*record.Record, []*record.Outputs) error // nil for a plain Processor
	limits   BatchLimits
	sequence func(*record.Record) bool // nil without a Sequencer
	observe  func(*record.Outcome)     // nil without an OutcomeObserver
	holder   partitionHolder           // nil without a PartitionHolder
	closer   io.Closer                 // nil if there is nothing to close
}

// BatchLimits are when a batch is large enough, or has waited for long enough.
type BatchLimits struct {
	Records int           // 1 for a plain Processor
	Bytes   int           // of several records; 0 is no limit
	Linger  time.Duration // how long records wait for others
}

// The highest limits of a batch.
const (
	MaxBatch  = 10_000
	MaxLinger = 10 * time.Second
)

// The interfaces of package worker, in terms of its types.
type (
	processor[R, Out any] interface {
		Process(ctx context.Context, rec *R, out *Out) error
	}
	batchProcessor[R, Out any] interface {
		BatchSize() int
		ProcessBatch(ctx context.Context, recs []*R, out []*Out) error
	}
	batchLimiter interface {
		BatchBytes() int
		BatchLinger() time.Duration
	}
	sequencer[R any] interface {
		Sequence(rec *R) (keep bool)
	}
	observer[Outcome any] interface {
		Observe(o *Outcome)
	}
	partitionHolder interface {
		Assigned(topic string, partition int32, offset int64)
		Revoked(topic string, partition int32, offset int64)
		Lost(topic string, partition int32)
	}
)

// Of finds the BatchProcessor and the hooks of a worker.Processor by their
// interfaces, and asks for the batch size. The types R, Out and Outcome are
// worker.Record, worker.Outputs and worker.Outcome. If p has a method Unwrap, Of looks
// for hooks in the value that it returns.
func Of[R, Out, Outcome any](p processor[R, Out]) (c *Code, err error) {
	defer recovered(&err)
	if p == nil {
		return nil, errors.New("the processor is nil")
	}
	c = &Code{limits: BatchLimits{Records: 1}, process: func(ctx context.Context, rec *record.Record, out *record.Outputs) error {
		return p.Process(ctx, As[R](rec), As[Out](out))
	}}
	var user any = p
	if w, ok := user.(interface{ Unwrap() any }); ok {
		if user = w.Unwrap(); user == nil {
			return nil, errors.New("the processor wraps nil")
		}
	}
	if b, ok := user.(batchProcessor[R, Out]); ok {
		c.limits = limitsOf(b.BatchSize(), user)
		c.batch = func(ctx context.Context, recs []*record.Record, outs []*record.Outputs) error {
			return b.ProcessBatch(ctx, *As[[]*R](&recs), *As[[]*Out](&outs))
		}
	}
	if s, ok := user.(sequencer[R]); ok {
		c.sequence = func(rec *record.Record) bool { return s.Sequence(As[R](rec)) }
	}
	if o, ok := user.(observer[Outcome]); ok {
		c.observe = func(outcome *record.Outcome) { o.Observe(As[Outcome](outcome)) }
	}
	c.holder, _ = user.(partitionHolder)
	c.closer, _ = user.(io.Closer)
	return c, nil
}

// InBatches reports whether the code is called with ProcessBatch.
func (c *Code) InBatches() bool { return c.batch != nil }

// limitsOf returns the limits of a user's batches, within those of this package.
func limitsOf(records int, user any) BatchLimits {
	limits := BatchLimits{Records: min(max(records, 1), MaxBatch)}
	if l, ok := user.(batchLimiter); ok {
		limits.Bytes, limits.Linger = max(l.BatchBytes(), 0), min(max(l.BatchLinger(), 0), MaxLinger)
	}
	return limits
}

// BatchLimits returns the limits of one call.
func (c *Code) BatchLimits() BatchLimits { return c.limits }

// BatchSize returns the highest number of records in one call, 1 for a plain
// Processor.
func (c *Code) BatchSize() int { return c.limits.Records }

// HasSequencer reports whether there is a Sequencer.
func (c *Code) HasSequencer() bool { return c.sequence != nil }

// HasObserver reports whether there is an OutcomeObserver.
func (c *Code) HasObserver() bool { return c.observe != nil }

// HoldsPartitions reports whether there is a PartitionHolder.
func (c *Code) HoldsPartitions() bool { return c.holder != nil }

// Process calls the Processor.
func (c *Code) Process(ctx context.Context, rec *record.Record, out *record.Outputs) (err error) {
	defer recovered(&err)
	return c.process(ctx, rec, out)
}

// ProcessBatch calls the BatchProcessor, which must exist.
func (c *Code) ProcessBatch(ctx context.Context, recs []*record.Record, outs []*record.Outputs) (err error) {
	defer recovered(&err)
	return c.batch(ctx, recs, outs)
}

// Sequence calls the Sequencer, which must exist.
func (c *Code) Sequence(rec *record.Record) (keep bool, err error) {
	defer inHook("Sequence", &err)
	defer recovered(&err)
	return c.sequence(rec), nil
}

// Observe calls the OutcomeObserver, which must exist.
func (c *Code) Observe(o *record.Outcome) (err error) {
	defer recovered(&err)
	c.observe(o)
	return nil
}

// Assigned calls the PartitionHolder, which must exist.
func (c *Code) Assigned(topic string, partition int32, offset int64) (err error) {
	defer inHook("Assigned", &err)
	defer recovered(&err)
	c.holder.Assigned(topic, partition, offset)
	return nil
}

// Revoked calls the PartitionHolder, which must exist.
func (c *Code) Revoked(topic string, partition int32, offset int64) (err error) {
	defer inHook("Revoked", &err)
	defer recovered(&err)
	c.holder.Revoked(topic, partition, offset)
	return nil
}

// Lost calls the PartitionHolder, which must exist.
func (c *Code) Lost(topic string, partition int32) (err error) {
	defer inHook("Lost", &err)
	defer recovered(&err)
	c.holder.Lost(topic, partition)
	return nil
}

// Close closes a processor that is an io.Closer.
func (c *Code) Close() (err error) {
	if c.closer == nil {
		return nil
	}
	defer inHook("Close", &err)
	return Close(c.closer)
}

// Close closes a part of the user's code.
func Close(c io.Closer) (err error) {
	defer recovered(&err)
	return c.Close()
}
