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

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Code is a user's processor with its hooks. Its methods may be called by several
// goroutines at once. They return a panic of the user's code as a *PanicError.
type Code struct {
	process   func(context.Context, *record.Record, *record.Outputs) error
	batch     func(context.Context, []*record.Record, []*record.Outputs) error // nil for a plain Processor
	batchSize int                                                              // records; 1 for a plain Processor
	sequence  func(*record.Record) bool                                        // nil without a Sequencer
	observe   func(*record.Outcome)                                            // nil without an OutcomeObserver
}

// MaxBatch is the highest number of records in a batch.
const MaxBatch = 256

// The interfaces of package worker, in terms of its types.
type (
	processor[R, Out any] interface {
		Process(ctx context.Context, rec *R, out *Out) error
	}
	batchProcessor[R, Out any] interface {
		BatchSize() int
		ProcessBatch(ctx context.Context, recs []*R, out []*Out) error
	}
	sequencer[R any] interface {
		Sequence(rec *R) (keep bool)
	}
	observer[Outcome any] interface {
		Observe(o *Outcome)
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
	c = &Code{batchSize: 1, process: func(ctx context.Context, rec *record.Record, out *record.Outputs) error {
		return p.Process(ctx, As[R](rec), As[Out](out))
	}}
	var user any = p
	if w, ok := user.(interface{ Unwrap() any }); ok {
		if user = w.Unwrap(); user == nil {
			return nil, errors.New("the processor wraps nil")
		}
	}
	if b, ok := user.(batchProcessor[R, Out]); ok {
		c.batchSize = min(max(b.BatchSize(), 1), MaxBatch)
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
	return c, nil
}

// InBatches reports whether the code is called with ProcessBatch.
func (c *Code) InBatches() bool { return c.batch != nil }

// BatchSize returns the highest number of records in one call, 1 for a plain
// Processor.
func (c *Code) BatchSize() int { return c.batchSize }

// HasSequencer reports whether there is a Sequencer.
func (c *Code) HasSequencer() bool { return c.sequence != nil }

// HasObserver reports whether there is an OutcomeObserver.
func (c *Code) HasObserver() bool { return c.observe != nil }

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
	defer inSequence(&err)
	defer recovered(&err)
	return c.sequence(rec), nil
}

// Observe calls the OutcomeObserver, which must exist.
func (c *Code) Observe(o *record.Outcome) (err error) {
	defer recovered(&err)
	c.observe(o)
	return nil
}
