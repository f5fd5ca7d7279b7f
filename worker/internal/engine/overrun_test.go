package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// neverReturns copies records, but for one of the given value: its attempts do not
// return before the test's end.
func neverReturns(t *testing.T, value string, attempts *atomic.Int32) worker.Processor {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	return worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if string(rec.Value) == value {
			attempts.Add(1)
			<-release
		}
		return rec.Value, nil
	})
}

// TestARecordThatNeverReturnsIsExhausted: the record's attempts take more goroutines than
// the pool has, and the worker goes on.
func TestARecordThatNeverReturnsIsExhausted(t *testing.T) {
	const n, attempts = 300, 3
	for _, o := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(o), func(t *testing.T) {
			t.Parallel()
			r, _ := fakeRig(t, 2)
			r.produce(0, n, 10)
			var tried atomic.Int32
			w := r.start(neverReturns(t, "101", &tried), func(c *config.Config) {
				c.Ordering, c.Concurrency = o, 1
				c.Failure.MaxAttempts, c.Failure.Timeout = attempts, duration(500*time.Millisecond)
			})
			r.awaitSettled(w)
			w.drain()
			letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
			if len(letters) != 1 || string(letters[0].Value) != "101" {
				t.Fatalf("%d dead letters, want that of record 101", len(letters))
			}
			if text := headers(letters[0])[failure.HeaderError]; !strings.Contains(text, "did not return") {
				t.Errorf("the letter's error is %q, which does not say that the attempt did not return", text)
			}
			if out := r.values("out"); len(out) != n-1 || tried.Load() != attempts {
				t.Errorf("%d records were written, want %d; %d attempts, want %d", len(out), n-1, tried.Load(), attempts)
			}
			if lost := w.metrics.GoroutinesLost.Value(); lost != attempts {
				t.Errorf("%d lost goroutines are counted, want %d", lost, attempts)
			}
		})
	}
}

func TestARecordThatNeverReturnsHalts(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 50, 10)
	var tried atomic.Int32
	w := r.start(neverReturns(t, "7", &tried), func(c *config.Config) {
		c.Ordering, c.Concurrency = config.Partition, 1
		c.Failure.MaxAttempts, c.Failure.Timeout = 3, duration(500*time.Millisecond)
		c.Failure.OnExhausted = config.Halt
	})
	var halt *engine.HaltError
	if err := w.wait(); !errors.As(err, &halt) || halt.Offset != 7 || halt.Attempts != 3 {
		t.Errorf("the worker ended with %v, want a halt at offset 7 after 3 attempts", err)
	}
}

// TestTooManyLostGoroutinesEndTheWorker: no attempt of the processor returns. The worker
// ends in good order before the process has no memory left.
func TestTooManyLostGoroutinesEndTheWorker(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 50, 10)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if rec.Offset >= 50 {
			<-release
		}
		return rec.Value, nil
	}), func(c *config.Config) {
		c.Ordering, c.Concurrency = config.Key, 8
		c.Failure.MaxAttempts, c.Failure.Timeout = 1, duration(100*time.Millisecond)
		c.DrainTimeout = duration(time.Second)
	})
	r.awaitSettled(w)
	r.produce(50, 1950, 10)
	err := w.wait()
	if err == nil || !strings.Contains(err.Error(), "64 goroutines are lost") {
		t.Errorf("the worker ended with %v, want that too many goroutines are lost", err)
	}
	if at := r.cluster.GroupOffsets("group")["in"][0]; at.Offset < 50 {
		t.Errorf("offset %d is committed, want at least 50: the end is no crash", at.Offset)
	}
}
