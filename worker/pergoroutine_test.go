package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// session is a processor that one goroutine at a time may use. It fails on "bad" and panics
// on "worse".
type session struct {
	busy   atomic.Bool
	closed atomic.Bool
	reach  func() // waits in the middle of a call
}

func (s *session) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	if !s.busy.CompareAndSwap(false, true) {
		return errors.New("two goroutines use one session")
	}
	defer s.busy.Store(false)
	if s.reach != nil {
		s.reach()
	}
	switch string(rec.Value) {
	case "bad":
		return errors.New("bad")
	case "worse":
		panic("worse")
	}
	out.EmitValue(rec.Value)
	return nil
}

func (s *session) Close() error {
	if s.closed.Swap(true) {
		return errors.New("closed twice")
	}
	return nil
}

// sessionBatch is a session for batches.
type sessionBatch struct{ *session }

func (s sessionBatch) BatchSize() int { return 3 }

func (s sessionBatch) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	for i, rec := range recs {
		out[i].Fail(s.Process(ctx, rec, out[i]))
	}
	return nil
}

// TestEachCallHasAnInstance: four calls at the same time have four sessions, and the next
// ones use them again. A session that panicked is not used again.
func TestEachCallHasAnInstance(t *testing.T) {
	for _, batches := range []bool{false, true} {
		t.Run(fmt.Sprintf("batches %v", batches), func(t *testing.T) {
			const calls = 4
			var together sync.WaitGroup
			together.Add(calls)
			var meet atomic.Bool
			meet.Store(true)
			var built []*session
			var mu sync.Mutex
			p, err := worker.PerGoroutine(t.Context(), func(context.Context) (worker.Processor, error) {
				s := &session{reach: func() {
					if meet.Load() {
						together.Done()
						together.Wait()
					}
				}}
				mu.Lock()
				defer mu.Unlock()
				built = append(built, s)
				if batches {
					return worker.Batch(sessionBatch{s}), nil
				}
				return s, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var running sync.WaitGroup
			for range calls {
				running.Go(func() {
					if r := workertest.Run(t.Context(), p, worker.Record{Value: []byte("v")})[0]; r.Err != nil {
						t.Error(r.Err)
					}
				})
			}
			running.Wait()
			if len(built) != calls {
				t.Errorf("%d sessions were built, want %d", len(built), calls)
			}
			meet.Store(false)
			for i, value := range []string{"v", "bad", "worse", "v"} {
				if r := workertest.Run(t.Context(), p, worker.Record{Value: []byte(value)})[0]; (r.Err != nil) != (i == 1 || i == 2) {
					t.Errorf("%s: %v", value, r.Err)
				}
			}
			if len(built) != calls {
				t.Errorf("%d sessions were built after all, want %d", len(built), calls)
			}
		})
	}
}

// TestInstancesAreClosed: one whose call panics at once, and the others at the end, even if
// one of them panics then too.
func TestInstancesAreClosed(t *testing.T) {
	for _, batches := range []bool{false, true} {
		t.Run(fmt.Sprintf("batches %v", batches), func(t *testing.T) {
			var built []*session
			p, err := worker.PerGoroutine(t.Context(), func(context.Context) (worker.Processor, error) {
				s := &session{}
				built = append(built, s)
				if batches {
					return worker.Batch(sessionBatch{s}), nil
				}
				return s, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			records := []worker.Record{{Value: []byte("v")}, {Value: []byte("worse")}, {Value: []byte("v")}, {Value: []byte("v")}}
			workertest.Run(t.Context(), p, records...)
			if len(built) != 2 || !built[0].closed.Load() || built[1].closed.Load() {
				t.Errorf("%d sessions were built; want 2, of which the first one has panicked and is closed", len(built))
			}
			if w, ok := p.(interface{ Unwrap() any }); ok {
				err = w.Unwrap().(io.Closer).Close()
			} else {
				err = p.(io.Closer).Close()
			}
			if err != nil || !built[1].closed.Load() {
				t.Errorf("the second session is closed: %v; %v", built[1].closed.Load(), err)
			}
		})
	}
}

// stubborn panics when it is closed.
type stubborn struct{ *session }

func (stubborn) Close() error { panic("stubborn") }

// TestAPanicInCloseLeavesNoInstanceOpen: the others are closed all the same.
func TestAPanicInCloseLeavesNoInstanceOpen(t *testing.T) {
	var together sync.WaitGroup
	together.Add(3)
	var built []*session
	var mu sync.Mutex
	p, err := worker.PerGoroutine(t.Context(), func(context.Context) (worker.Processor, error) {
		mu.Lock()
		defer mu.Unlock()
		s := &session{reach: func() {
			together.Done()
			together.Wait()
		}}
		if built = append(built, s); len(built) == 2 {
			return stubborn{s}, nil
		}
		return s, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() { workertest.Run(t.Context(), p, worker.Record{Value: []byte("v")}) })
	}
	running.Wait()
	if err := p.(io.Closer).Close(); err == nil || !strings.Contains(err.Error(), "stubborn") {
		t.Errorf("the error is %v, want the panic", err)
	}
	if !built[0].closed.Load() || !built[2].closed.Load() {
		t.Error("a session was left open")
	}
}

// limitedBatch has all limits of a batch.
type limitedBatch struct{ sessionBatch }

func (limitedBatch) BatchBytes() int            { return 2 }
func (limitedBatch) BatchLinger() time.Duration { return time.Second }

func (l limitedBatch) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	if len(recs) > l.BatchBytes() {
		return fmt.Errorf("%d records of one byte", len(recs))
	}
	return l.sessionBatch.ProcessBatch(ctx, recs, out)
}

// TestInstancesKeepTheLimitsOfTheirBatches: those of a BatchLimiter too.
func TestInstancesKeepTheLimitsOfTheirBatches(t *testing.T) {
	p, err := worker.PerGoroutine(t.Context(), func(context.Context) (worker.Processor, error) {
		return worker.Batch(limitedBatch{sessionBatch{&session{}}}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range workertest.Run(t.Context(), p, slices.Repeat([]worker.Record{{Value: []byte("v")}}, 6)...) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	l, ok := p.(interface{ Unwrap() any }).Unwrap().(worker.BatchLimiter)
	if !ok || l.BatchLinger() != time.Second {
		t.Errorf("%T has another linger than its instances", p)
	}
}

// TestInstancesThatCanNotBe: errors say what to do.
func TestInstancesThatCanNotBe(t *testing.T) {
	of := func(processors ...worker.Processor) (worker.Processor, error) {
		return worker.PerGoroutine(t.Context(), func(context.Context) (worker.Processor, error) {
			if len(processors) == 0 {
				return nil, errors.New("no more sessions")
			}
			p := processors[0]
			processors = processors[1:]
			return p, nil
		})
	}
	for want, p := range map[string]worker.Processor{"the processor is nil": nil, "has the hook Sequence": &deduplicator{}} {
		if _, err := of(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	if _, err := of(); err == nil || err.Error() != "no more sessions" {
		t.Errorf("the error is %v, want that of the first session", err)
	}
	// The second session is built when the first one has panicked.
	for want, next := range map[string][]worker.Processor{
		"build another instance of the processor: no more sessions": nil,
		"is not of the kind of the first one":                       {worker.Batch(sessionBatch{&session{}})},
	} {
		p, err := of(append([]worker.Processor{&session{}}, next...)...)
		if err != nil {
			t.Fatal(err)
		}
		results := workertest.Run(t.Context(), p, worker.Record{Value: []byte("worse")}, worker.Record{Value: []byte("v")})
		if err := results[1].Err; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}
