package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// wantClosed fails unless every partition's commit says that it was given up in
// good order.
func (r *rig) wantClosed() {
	r.t.Helper()
	for p, c := range r.cluster.GroupOffsets("group")["in"] {
		if state, err := offsets.Decode(c.Metadata, c.Offset); err != nil || state.Open || state.Suspicion != nil {
			r.t.Errorf("partition %d is committed as %+v, %v; want it closed", p, state, err)
		}
	}
}

// TestHaltDoublesNothing has a worker halt at one record again and again, under
// load. All written records are committed each time, so that none is written twice, and
// the outputs keep the configured order.
func TestHaltDoublesNothing(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(ordering), func(t *testing.T) {
			r, _ := fakeRig(t, 2)
			haltDoublesNothing(t, r, ordering)
		})
	}
	t.Run("Apache", func(t *testing.T) {
		r, _ := apacheRig(t, 2)
		haltDoublesNothing(t, r, config.Key)
	})
}

func haltDoublesNothing(t *testing.T, r *rig, ordering config.Ordering) {
	t.Helper()
	const n, keys, halting = 20_000, 100, 3000
	r.cfg.Ordering = ordering
	r.cfg.Failure.OnExhausted = config.Halt
	r.produce(0, n, keys)
	p := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if string(rec.Value) == strconv.Itoa(halting) {
			return nil, failure.Permanent(errPoison)
		}
		return rec.Value, nil
	})
	for range 4 {
		w := r.start(p)
		var halt *engine.HaltError
		if err := w.wait(); !errors.As(err, &halt) {
			t.Fatalf("ended with %v, want a HaltError", err)
		}
		r.wantClosed()
		for v, times := range r.values("out") {
			if times > 1 {
				t.Fatalf("record %s was written %d times", v, times)
			}
		}
	}
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n, false)
	if ordering != config.Unordered {
		r.wantKeysInOrder()
	}
}

// wantKeysInOrder fails unless the values of each key in "out" ascend.
func (r *rig) wantKeysInOrder() {
	r.t.Helper()
	last := map[string]int{}
	for _, rec := range r.cluster.ConsumeAll("out", kgo.ReadCommitted()) {
		v, err := strconv.Atoi(string(rec.Value))
		if before, ok := last[string(rec.Key)]; err != nil || ok && v < before {
			r.t.Fatalf("key %s: %d comes after %d", rec.Key, v, before)
		}
		last[string(rec.Key)] = v
	}
}

// TestRefusedOutputClosesWhatIsSettled: the output's brokers refuse to write, so
// the worker ends. The records settled before are committed, and their partitions closed.
func TestRefusedOutputClosesWhatIsSettled(t *testing.T) {
	r, fake := fakeRig(t, 2)
	const n = 1000
	r.produce(0, n, 10)
	w := r.start(identity)
	r.awaitSettled(w)
	fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.TopicAuthorizationFailed, Count: -1})
	r.produce(n, n, 10)
	if err := w.wait(); err == nil {
		t.Fatal("the worker ended without an error")
	}
	r.wantClosed()
	for p, c := range r.cluster.GroupOffsets("group")["in"] {
		if c.Offset != n/2 {
			t.Errorf("partition %d is committed at %d, want %d", p, c.Offset, n/2)
		}
	}
}

// TestStopIsBounded stops a worker with an attempt that never returns, a
// coordinator that answers no commit and no LeaveGroup, and an output whose
// broker answers nothing. It ends within a pod's time to end.
func TestStopIsBounded(t *testing.T) {
	for _, hangs := range [][]kmsg.Key{
		{kmsg.OffsetCommit, kmsg.LeaveGroup},
		{kmsg.Produce},
		{kmsg.Produce, kmsg.OffsetCommit, kmsg.LeaveGroup, kmsg.Heartbeat, kmsg.Fetch, kmsg.Metadata, kmsg.FindCoordinator},
	} {
		t.Run(fmt.Sprint(hangs), func(t *testing.T) {
			t.Parallel()
			stopWhile(t, hangs)
		})
	}
}

func stopWhile(t *testing.T, hangs []kmsg.Key) {
	t.Helper()
	const drain = 8 * time.Second
	r, fake := fakeRig(t, 2)
	r.produce(0, 200, 2)
	never, later := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(never) })
	var stuck atomic.Bool
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		switch v, _ := strconv.Atoi(string(rec.Value)); {
		case v == 100:
			stuck.Store(true)
			<-never
		case v >= 196:
			<-later
		}
		return rec.Value, nil
	}), func(c *config.Config) {
		c.Concurrency = 8
		c.DrainTimeout = duration(drain)
		c.Failure.Timeout = duration(5 * time.Minute)
	})
	r.eventually("a record is stuck, and four wait", func() bool {
		return stuck.Load() && w.partition(1).Committed == 98
	})
	for _, key := range hangs {
		fake.Faults.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			fake.Faults.KeepControl()
			fake.Faults.SleepControl(func() { <-never })
			return nil, nil, false
		})
	}
	close(later) // their results are in the producer at the stop
	stopped := time.Now()
	w.stop()
	_ = w.wait()
	bound := config.StopTimeout(drain)
	if took := time.Since(stopped); took > bound+bound/4 {
		t.Errorf("the stop took %v; it may take %v", took, bound)
	}
}
