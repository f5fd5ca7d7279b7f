package engine_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// exactly makes a worker's delivery exactly once.
func exactly(c *config.Config) {
	c.Delivery = config.ExactlyOnce
	c.Transaction.Interval, c.Transaction.Timeout = duration(100*time.Millisecond), duration(10*time.Second)
}

// exactRig has workers deliver exactly once.
func (r *rig) exact() *rig {
	exactly(&r.cfg)
	return r
}

// aborted returns how many transactions of a worker were aborted, by reason.
func (w *running) aborted() map[string]int64 {
	if t := w.engine.Status().Members[0].Transaction; t != nil {
		return t.Aborted
	}
	return nil // it has just started
}

// TestExactlyOnce: readers of committed records see each result once, and the group has
// the offsets, in all orderings.
func TestExactlyOnce(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(ordering), func(t *testing.T) {
			onBoth(t, 4, func(t *testing.T, r *rig) {
				r.exact().cfg.Ordering = ordering
				const n = 20_000
				w := r.start(identity)
				r.produce(0, n/2, 64)
				r.awaitSettled(w)
				r.produce(n/2, n/2, 64)
				r.awaitSettled(w)
				r.eventually("the results are committed", func() bool { return len(r.values("out")) == n })
				w.drain()
				r.wantCommitted("group")
				r.wantClosed()
				wantEach(t, r.committed("out"), 0, n, false)
				if aborted := w.aborted(); len(aborted) > 0 {
					t.Errorf("transactions were aborted: %v", aborted)
				}
			})
		})
	}
}

// TestUncommittedResultsAreNotSeen: between two commits readers of committed records
// see nothing of the transaction under way, and after its interval all of it.
func TestUncommittedResultsAreNotSeen(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		r.exact().cfg.Transaction.Interval = duration(10 * time.Minute)
		r.cfg.Transaction.Timeout, r.cfg.DrainTimeout = duration(12*time.Minute), duration(12*time.Minute)
		w := r.start(identity)
		r.produce(0, 100, 10)
		r.eventually("the results are stored", func() bool { return w.metrics.RecordsOut.Value() == 100 })
		if seen := r.values("out"); len(seen) > 0 {
			t.Errorf("%d results are seen before their transaction ends", len(seen))
		}
		w.drain()
		wantEach(t, r.committed("out"), 0, 100, false)
	})
}

// TestHandoverAbortsNothing: while partitions move to another member and back, no
// transaction is aborted, and each result is there once.
func TestHandoverAbortsNothing(t *testing.T) {
	onBoth(t, 8, func(t *testing.T, r *rig) {
		r.exact()
		const n = 30_000
		first := r.start(identity)
		r.eventually("the first owns everything", func() bool { return owned(first) == 8 && inState(first, "running") == 8 })
		stop := make(chan struct{})
		var writing sync.WaitGroup
		writing.Go(func() {
			for i := 0; i < n; i += 500 {
				r.produce(i, 500, 64)
			}
			close(stop)
		})
		second := r.start(identity)
		r.eventually("they share", func() bool { return owned(first) == 4 && owned(second) == 4 && inState(second, "running") == 4 })
		second.drain()
		r.eventually("the first has everything back", func() bool { return owned(first) == 8 })
		writing.Wait()
		r.awaitSettled(first)
		first.drain()
		wantEach(t, r.committed("out"), 0, n, false)
		r.wantCommitted("group")
		for _, w := range []*running{first, second} {
			if aborted := w.aborted(); len(aborted) > 0 {
				t.Errorf("transactions were aborted: %v", aborted)
			}
		}
	})
}

// TestKilledOwnersTransactionIsAborted: a worker dies in a transaction. The one that
// takes its place aborts that at once, and each result is there once.
func TestKilledOwnersTransactionIsAborted(t *testing.T) {
	r, _ := apacheRig(t, 4)
	r.exact().short()
	r.cfg.StateDir = t.TempDir()
	r.cfg.Transaction.Timeout, r.cfg.DrainTimeout = duration(time.Minute), duration(time.Minute)
	const n = 40_000
	for i := range 4 {
		p := r.child("")
		r.produce(i*n/4, n/4, 64)
		from := len(r.values("out"))
		r.eventually("some of it is committed", func() bool { return len(r.values("out")) > from })
		p.kill()
	}
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.committed("out"), 0, n, false)
}

// TestJointResultsAreWrittenTogether: a record has two results, and the brokers refuse
// the second one of some. Then neither is seen, and the record goes to the dead-letter
// topic; all others have both.
func TestJointResultsAreWrittenTogether(t *testing.T) {
	onBoth(t, 2, func(t *testing.T, r *rig) {
		r.exact()
		r.cluster.CreateTopic("small", 1, map[string]string{"max.message.bytes": "2000"})
		const n, every = 2000, 500
		twice := worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
			second := rec.Value
			if v, _ := strconv.Atoi(string(rec.Value)); v%every == 0 {
				second = make([]byte, 3000)
			}
			return []worker.Output{{Value: rec.Value}, {Topic: "small", Value: second, Key: rec.Value}}, nil
		})
		r.produce(0, n, 16)
		w := r.start(twice)
		r.awaitSettled(w)
		w.drain()
		out, small, letters := r.values("out"), r.values("small"), r.values("dlq")
		for i := range n {
			want := 1
			if i%every == 0 {
				want = 0
			}
			v := strconv.Itoa(i)
			if out[v] != want || small[v] != want || letters[v] != 1-want {
				t.Errorf("record %d: %d results, %d second results, %d dead letters", i, out[v], small[v], letters[v])
			}
		}
		r.wantCommitted("group")
	})
}

// TestRefusedRecordIsNotTriedAgain: a record whose result was refused becomes a dead letter,
// though its transaction is aborted and another attempt would succeed. Results of later
// records may be committed by then.
func TestRefusedRecordIsNotTriedAgain(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact().cfg.Transaction.Interval = duration(2 * time.Second)
	r.cluster.CreateTopic("small", 1, map[string]string{"max.message.bytes": "2000"})
	const n, refused = 1000, "500"
	var tries atomic.Int32
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		value := rec.Value
		if string(value) == refused && tries.Add(1) == 1 {
			value = make([]byte, 3000)
		}
		return []worker.Output{{Topic: "small", Value: value}}, nil
	}))
	r.eventually("it owns everything", func() bool { return inState(w, "running") == 2 })
	var failed atomic.Int32
	fake.Faults.ControlKey(kmsg.EndTxn.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		// The first end after the refusal is that of its transaction.
		end := req.(*kmsg.EndTxnRequest)
		if !end.Commit || w.metrics.AttemptsFailed.Value() == 0 || failed.Load() > 0 {
			return nil, nil, false
		}
		failed.Add(1)
		res := end.ResponseKind().(*kmsg.EndTxnResponse)
		res.ErrorCode = kerr.InvalidTxnState.Code
		return res, nil, true
	})
	r.produce(0, n, 16)
	r.eventually("the transaction is aborted", func() bool { return w.aborted()["EndedByCoordinator"] > 0 })
	r.awaitSettled(w)
	w.drain()
	if small := r.values("small"); failed.Load() != 1 || len(small) != n-1 || small[refused] != 0 {
		t.Errorf("%d ends refused, %d results, %d of the record that was refused", failed.Load(), len(small), small[refused])
	}
	if letters := r.values("dlq"); len(letters) != 1 || letters[refused] != 1 {
		t.Errorf("dead letters %v, want the one of record %s", letters, refused)
	}
	if got := tries.Load(); got != 1 {
		t.Errorf("%d attempts of the record that was refused", got)
	}
}

// TestOutcomesAreToldWhenTheyAreCommitted: an OutcomeObserver hears of results whose
// transaction is committed, and of none that is aborted.
func TestOutcomesAreToldWhenTheyAreCommitted(t *testing.T) {
	r, fake := fakeRig(t, 1)
	r.exact()
	failing := failEnds(fake, 3)
	o := &countingObserver{}
	w := r.start(o)
	r.produce(0, 1000, 10)
	r.awaitSettled(w)
	w.drain()
	if aborted := w.aborted()["EndedByCoordinator"]; failing.Load() == 0 || aborted == 0 {
		t.Errorf("%d requests were refused, %d transactions aborted", failing.Load(), aborted)
	}
	wantEach(t, r.committed("out"), 0, 1000, false)
	o.mu.Lock()
	defer o.mu.Unlock()
	for offset, times := range o.seen {
		if times != 1 {
			t.Errorf("the outcome of offset %d was told %d times", offset, times)
		}
	}
	if len(o.seen) != 1000 {
		t.Errorf("the outcomes of %d records were told, not 1000", len(o.seen))
	}
}

type countingObserver struct {
	mu   sync.Mutex
	seen map[int64]int // by the input's offset; guarded by mu
}

func (o *countingObserver) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	out.Emit(worker.Output{Value: rec.Value})
	return nil
}

func (o *countingObserver) Observe(outcome *worker.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen = map[int64]int{}
	}
	o.seen[outcome.Input.Offset]++
}

// failEnds makes the cluster refuse the next n requests to commit a transaction. It returns
// how many it has refused.
func failEnds(fake *kafkatest.FakeCluster, n int32) *atomic.Int32 {
	refused := &atomic.Int32{}
	fake.Faults.ControlKey(kmsg.EndTxn.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		end := req.(*kmsg.EndTxnRequest)
		if refused.Load() >= n {
			return nil, nil, false
		}
		fake.Faults.KeepControl()
		if !end.Commit {
			return nil, nil, false
		}
		refused.Add(1)
		res := end.ResponseKind().(*kmsg.EndTxnResponse)
		res.ErrorCode = kerr.InvalidTxnState.Code
		return res, nil, true
	})
	return refused
}

// TestAbortedOpeningIsRepeated: the first transaction of a worker, which opens the
// partitions of an owner that died, is aborted. The next one opens them.
func TestAbortedOpeningIsRepeated(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact()
	const n = 2000
	r.produce(0, n, 16)
	dead := r.child("")
	r.eventually("some of it is committed", func() bool { return len(r.values("out")) > 0 })
	dead.kill()
	refused := failEnds(fake, 1)
	w := r.start(identity, func(c *config.Config) { c.Input.SessionTimeout = duration(6 * time.Second) })
	r.awaitSettled(w)
	w.drain()
	if aborted := w.aborted(); refused.Load() != 1 || len(aborted) != 1 || aborted["EndedByCoordinator"] != 1 {
		t.Errorf("%d requests were refused, transactions aborted: %v", refused.Load(), aborted)
	}
	wantEach(t, r.committed("out"), 0, n, false)
}
