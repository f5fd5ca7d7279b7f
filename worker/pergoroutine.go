package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// PerGoroutine makes a processor of instances that can't be shared, such as sessions of a
// library that is not safe for concurrent use. Each call has an instance for itself, so
// there are as many as calls run at the same time.
//
// build makes the first instance at once. It is called again when a call finds all others
// busy, within that call's attempt: an error fails the attempt, and the failure policy
// decides. Instances that have a method Close() error are closed at the end. An instance whose
// call panics is closed at once, and not used again.
//
// All instances must be of one kind: plain processors, or what Batch returns. The limits of
// batches are those of the first one, a BatchLimiter's too. Instances can't have hooks, since a
// hook sees the records of all instances; give those to a processor around this one, which has
// to pass on Close.
func PerGoroutine(ctx context.Context, build func(context.Context) (Processor, error)) (Processor, error) {
	first, err := build(ctx)
	if err != nil {
		return nil, err
	}
	if err := withoutHooks(first); err != nil {
		return nil, err
	}
	firstBatch, batches := first.(batch)
	all := &instances{build: build, ctx: context.WithoutCancel(ctx), batches: batches, idle: []Processor{first}}
	if batches {
		return Batch(newEachBatch(all, firstBatch.BatchProcessor)), nil
	}
	return each{all}, nil
}

// withoutHooks returns an error if an instance has a hook.
func withoutHooks(p Processor) error {
	if p == nil {
		return errNoProcessor
	}
	if hook := hookOf(p); hook != "" {
		return fmt.Errorf("%T has the hook %s, which one instance for each goroutine can't have: move it to a processor around PerGoroutine",
			userOf(p), hook)
	}
	return nil
}

var errNoProcessor = errors.New("the processor is nil")

// hookOf returns the name of a hook that a processor has, "" if it has none.
func hookOf(p Processor) string {
	switch userOf(p).(type) {
	case Sequencer:
		return "Sequence"
	case OutcomeObserver:
		return "Observe"
	case PartitionHolder:
		return "Assigned"
	default:
		return ""
	}
}

// userOf returns the user's value of an instance.
func userOf(p Processor) any {
	if b, ok := p.(batch); ok {
		return b.BatchProcessor
	}
	return p
}

// instances are the processors of PerGoroutine. Its methods may be called by several
// goroutines at once.
type instances struct {
	build   func(context.Context) (Processor, error)
	ctx     context.Context // for build; does not end
	batches bool            // the instances are of type batch

	mu     sync.Mutex
	idle   []Processor // guarded by mu
	closed bool        // guarded by mu
}

// take returns an instance for the caller alone.
func (s *instances) take() (Processor, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		p := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return p, nil
	}
	s.mu.Unlock()
	p, err := s.build(s.ctx)
	if err != nil {
		return nil, fmt.Errorf("build another instance of the processor: %w", err)
	}
	if _, isBatch := p.(batch); isBatch != s.batches {
		return nil, fmt.Errorf("build another instance of the processor: %T is not of the kind of the first one", p)
	}
	return p, nil
}

// give takes an instance back after a call, which has returned or panicked. An instance that
// comes after the end is closed, and so is one whose call has panicked.
func (s *instances) give(p Processor, returned bool) {
	s.mu.Lock()
	over := s.closed || !returned
	if !over {
		s.idle = append(s.idle, p)
	}
	s.mu.Unlock()
	if over {
		_ = closeInstance(p) // nobody is left to hear of an error, or the panic says more
	}
}

// Close closes the instances that no call has.
func (s *instances) Close() error {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	var errs []error
	for _, p := range idle {
		errs = append(errs, closeInstance(p))
	}
	return errors.Join(errs...)
}

// closeInstance closes a processor, if that can be closed. A panic is an error.
func closeInstance(p Processor) error {
	if c, ok := userOf(p).(io.Closer); ok {
		return usercode.Close(c)
	}
	return nil
}

// each calls one of the instances for each record.
type each struct{ *instances }

// Process implements Processor.
func (e each) Process(ctx context.Context, rec *Record, out *Outputs) error {
	p, err := e.take()
	if err != nil {
		return err
	}
	returned := false
	defer func() { e.give(p, returned) }()
	err = p.Process(ctx, rec, out)
	returned = true
	return err
}

// eachBatch calls one of the instances for each batch.
type eachBatch struct {
	*instances
	size, bytes int
	linger      time.Duration
}

// newEachBatch returns an eachBatch with the limits of the first instance.
func newEachBatch(all *instances, first BatchProcessor) eachBatch {
	e := eachBatch{instances: all, size: first.BatchSize()}
	if l, ok := first.(BatchLimiter); ok {
		e.bytes, e.linger = l.BatchBytes(), l.BatchLinger()
	}
	return e
}

// BatchSize implements BatchProcessor.
func (e eachBatch) BatchSize() int { return e.size }

// BatchBytes implements BatchLimiter.
func (e eachBatch) BatchBytes() int { return e.bytes }

// BatchLinger implements BatchLimiter.
func (e eachBatch) BatchLinger() time.Duration { return e.linger }

// ProcessBatch implements BatchProcessor.
func (e eachBatch) ProcessBatch(ctx context.Context, recs []*Record, out []*Outputs) error {
	p, err := e.take()
	if err != nil {
		return err
	}
	returned := false
	defer func() { e.give(p, returned) }()
	err = p.(batch).ProcessBatch(ctx, recs, out)
	returned = true
	return err
}
