package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// TestAttemptsThatDidNotBeginAreNotCharged: a processor that can't work for a while costs no
// record an attempt, however often its calls end, and keeps the order of keys. The calls are
// repeated as they are, and not in halves.
func TestAttemptsThatDidNotBeginAreNotCharged(t *testing.T) {
	for _, o := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(o), func(t *testing.T) {
			t.Parallel()
			r, _ := fakeRig(t, 1)
			const n = 64
			r.produce(0, n, 4)
			b := &away{batches: batches{size: 16, poison: "none"}}
			b.calls.Store(-12) // more than attempts, for each goroutine
			w := r.start(b, func(c *config.Config) { c.Ordering, c.Concurrency, c.Failure.MaxAttempts = o, 2, 1 })
			r.awaitSettled(w)
			w.drain()
			wantEach(t, r.values("out"), 0, n, false)
			if letters := r.values("dlq"); len(letters) > 0 {
				t.Errorf("%d records are dead letters", len(letters))
			}
			if failed := w.metrics.AttemptsFailed.Value(); failed != 0 {
				t.Errorf("%d failed attempts are counted", failed)
			}
		})
	}
}

// TestAttemptsThatEndWhileTheyWaitAreNotCharged: they have not begun, although their timeout is
// over.
func TestAttemptsThatEndWhileTheyWaitAreNotCharged(t *testing.T) {
	for _, size := range []int{1, 16} {
		t.Run(fmt.Sprintf("batches of %d", size), func(t *testing.T) {
			t.Parallel()
			r, _ := fakeRig(t, 1)
			const n = 64
			r.produce(0, n, 4)
			waits := &away{batches: batches{size: size, poison: "none"}, untilTheEnd: true}
			waits.calls.Store(-4)
			w := r.start(waits, func(c *config.Config) {
				c.Concurrency, c.Failure.MaxAttempts, c.Failure.Timeout = 2, 1, duration(50*time.Millisecond)
			})
			r.awaitSettled(w)
			w.drain()
			wantEach(t, r.values("out"), 0, n, false)
			if letters := r.values("dlq"); len(letters) > 0 {
				t.Errorf("%d records are dead letters", len(letters))
			}
		})
	}
}

// away can't work in its first calls.
type away struct {
	batches
	calls atomic.Int32
	// untilTheEnd has these calls wait until their timeout is over.
	untilTheEnd bool
}

func (a *away) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	if a.calls.Add(1) <= 0 {
		if a.untilTheEnd {
			<-ctx.Done()
		}
		return failure.Untried(errors.New("no process is connected"))
	}
	return a.batches.ProcessBatch(ctx, recs, out)
}
