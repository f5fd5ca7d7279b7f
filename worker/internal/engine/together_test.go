package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// batches copies records in batches. A batch with a record of the given value
// fails as a whole, in the given way.
type batches struct {
	size   int
	poison string
	fail   func(ctx context.Context) error

	mu    sync.Mutex
	tried map[string][]time.Time // of each value, when a batch with it began
	sizes []int
}

func (b *batches) Process(context.Context, *worker.Record, *worker.Outputs) error {
	return errors.New("not called")
}

func (b *batches) BatchSize() int { return b.size }

func (b *batches) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	b.mu.Lock()
	b.sizes = append(b.sizes, len(recs))
	if b.tried == nil {
		b.tried = map[string][]time.Time{}
	}
	bad := false
	for _, rec := range recs {
		b.tried[string(rec.Value)] = append(b.tried[string(rec.Value)], time.Now())
		bad = bad || string(rec.Value) == b.poison
	}
	b.mu.Unlock()
	for i, rec := range recs {
		out[i].EmitValue(rec.Value)
	}
	if bad {
		return b.fail(ctx)
	}
	return nil
}

// TestABatchFailsOnlyTheRecordAtFault: one record makes its batches fail, by an
// error, a panic, or an overrun that returns or not. It alone is charged.
func TestABatchFailsOnlyTheRecordAtFault(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, tc := range map[string]struct {
		fail     func(ctx context.Context) error
		attempts int // that count
	}{
		"error":     {func(context.Context) error { return errPoison }, 3},
		"permanent": {func(context.Context) error { return failure.Permanent(errPoison) }, 1},
		"panic":     {func(context.Context) error { panic("poison") }, 3},
		"overrun":   {func(ctx context.Context) error { <-ctx.Done(); return nil }, 3},
		"lost":      {func(context.Context) error { <-release; return nil }, 3},
	} {
		for _, o := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
			t.Run(fmt.Sprint(name, " ", o), func(t *testing.T) {
				t.Parallel()
				r, _ := fakeRig(t, 1)
				const n = 200
				r.produce(0, n, 10)
				b := &batches{size: 16, poison: "60", fail: tc.fail}
				w := r.start(b, func(c *config.Config) {
					c.Ordering, c.Concurrency = o, 2
					c.Failure.Timeout = duration(300 * time.Millisecond)
				})
				r.awaitSettled(w)
				w.drain()
				letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
				if len(letters) != 1 || string(letters[0].Value) != "60" {
					t.Fatalf("%d dead letters, want that of record 60", len(letters))
				}
				if got := headers(letters[0])[failure.HeaderAttempts]; got != strconv.Itoa(tc.attempts) {
					t.Errorf("the letter says %s attempts, want %d", got, tc.attempts)
				}
				out := r.cluster.ConsumeAll("out", kgo.ReadCommitted())
				if len(out) != n-1 {
					t.Errorf("%d records were written, want %d", len(out), n-1)
				}
				inOrder(t, o, out)
				// 16, 8, 4, 2, and what counts.
				if most := 4 + tc.attempts; len(b.tried["60"]) > most {
					t.Errorf("record 60 was tried %d times, want at most %d", len(b.tried["60"]), most)
				}
			})
		}
	}
}

// inOrder fails unless the records of one partition keep the order of their keys,
// or of all.
func inOrder(t *testing.T, o config.Ordering, records []*kgo.Record) {
	t.Helper()
	last := map[string]int{}
	for _, rec := range records {
		v, _ := strconv.Atoi(string(rec.Value))
		scope := string(rec.Key)
		switch o {
		case config.Unordered:
			return
		case config.Partition:
			scope = ""
		case config.Key:
		}
		if before, ok := last[scope]; ok && v < before {
			t.Errorf("%s: record %d was written after %d", o, v, before)
		}
		last[scope] = v
	}
}

// TestBatchesWaitBetweenTheirHalves: while a service that the processor depends on is
// down, every batch fails, and halves must not call it more often than attempts do.
func TestBatchesWaitBetweenTheirHalves(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 16, 16)
	const backoff = 40 * time.Millisecond
	b := &batches{size: 16, poison: "3", fail: func(context.Context) error { return errPoison }}
	w := r.start(b, func(c *config.Config) {
		c.Failure.Backoff = config.Backoff{Initial: duration(backoff), Max: duration(10 * backoff)}
	})
	r.awaitSettled(w)
	w.drain()
	times := b.tried["3"]
	for i, wait := range []time.Duration{backoff, 2 * backoff, 4 * backoff, 8 * backoff} {
		if i+1 >= len(times) {
			break // the records came in smaller batches
		}
		if got := times[i+1].Sub(times[i]); got < wait/2 {
			t.Errorf("attempt %d came %s after the one before, want at least %s", i+2, got, wait/2)
		}
	}
}

// TestABatchThatFailsWithoutARecordAtFaultHalts: when every call fails, the policy applies
// to the first record that fails alone.
func TestABatchThatFailsWithoutARecordAtFaultHalts(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 64, 8)
	w := r.start(alwaysFails{}, func(c *config.Config) {
		c.Ordering = config.Partition
		c.Failure.OnExhausted = config.Halt
	})
	var halt *engine.HaltError
	if err := w.wait(); !errors.As(err, &halt) || halt.Offset != 0 || halt.Attempts != 3 || !errors.Is(err, errPoison) {
		t.Errorf("the worker ended with %v, want a halt at offset 0 after 3 attempts", err)
	}
}

type alwaysFails struct{}

func (alwaysFails) BatchSize() int { return 16 }
func (alwaysFails) ProcessBatch(context.Context, []*worker.Record, []*worker.Outputs) error {
	return errPoison
}
func (alwaysFails) Process(context.Context, *worker.Record, *worker.Outputs) error { return nil }

// TestARecordThatABatchFailsIsChargedAtOnce: a call that returns may fail some of
// its records, and the others keep their results.
func TestARecordThatABatchFailsIsChargedAtOnce(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 100, 10)
	b := &failsSome{}
	w := r.start(b)
	r.awaitSettled(w)
	w.drain()
	letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 10 {
		t.Errorf("%d dead letters, want 10", len(letters))
	}
	if slices.ContainsFunc(letters, func(l *kgo.Record) bool { return !bytes.HasSuffix(l.Value, []byte("7")) }) {
		t.Error("a record is a dead letter that did not fail")
	}
	if failed := w.metrics.AttemptsFailed.Value(); failed != 30 {
		t.Errorf("%d failed attempts are counted, want 3 for each of the 10", failed)
	}
}

type failsSome struct{ alwaysFails }

func (failsSome) ProcessBatch(_ context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	for i, rec := range recs {
		out[i].EmitValue(rec.Value)
		if bytes.HasSuffix(rec.Value, []byte("7")) {
			out[i].Fail(errPoison)
		}
	}
	return nil
}
