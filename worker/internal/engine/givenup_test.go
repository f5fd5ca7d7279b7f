package engine_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// late is a processor whose attempts at record "0" wait for the test. The first attempt
// ends with err, the others succeed. late counts the outcomes that it observes.
type late struct {
	err      error
	begun    atomic.Int32
	ended    atomic.Int32
	letGo    [2]chan struct{} // of the first attempt, and of all others
	observed atomic.Int32     // outcomes of record "0", whose offset is 0
}

func newLate(t *testing.T, err error) *late {
	p := &late{err: err, letGo: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
	t.Cleanup(func() { p.release(0); p.release(1) })
	return p
}

func (p *late) release(attempt int) {
	select {
	case <-p.letGo[attempt]:
	default:
		close(p.letGo[attempt])
	}
}

func (p *late) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	if string(rec.Value) == "0" {
		n := p.begun.Add(1)
		<-p.letGo[min(n, 2)-1]
		defer p.ended.Add(1)
		if n == 1 && p.err != nil {
			return p.err
		}
	}
	out.EmitValue(rec.Value)
	return nil
}

func (p *late) Observe(o *worker.Outcome) {
	if o.Input.Partition == 0 && o.Input.Offset == 0 {
		p.observed.Add(1)
	}
}

// TestLateResultsOfALostAssignmentAreDropped throws the member out while a record
// is in an attempt. The record's partition is assigned to it again. The old attempt's
// result is not written, dead-lettered or dropped, halts nothing, and settles nothing
// under the new assignment.
func TestLateResultsOfALostAssignmentAreDropped(t *testing.T) {
	for name, c := range map[string]struct {
		err         error
		onExhausted config.OnExhausted
	}{
		"written":       {nil, config.Halt},
		"dead-lettered": {failure.Permanent(errPoison), config.ToDeadLetter},
		"dropped":       {failure.Permanent(errPoison), config.Drop},
		"halted":        {failure.Permanent(errPoison), config.Halt},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := fakeRig(t, 1)
			lateResultOfALostAssignment(t, r, c.err, c.onExhausted)
		})
	}
}

func lateResultOfALostAssignment(t *testing.T, r *rig, err error, policy config.OnExhausted) {
	t.Helper()
	const n = 50
	r.produce(0, n, 1)
	p := newLate(t, err)
	w := r.start(p, func(c *config.Config) {
		c.Failure.Timeout = duration(5 * time.Minute) // the attempts are not to overrun
		c.Failure.OnExhausted = policy
	})
	r.eventually("the record is in its first attempt", func() bool { return p.begun.Load() == 1 })
	r.throwOut(w)
	r.eventually("the record is in an attempt of the next assignment", func() bool { return p.begun.Load() == 2 })
	p.release(0)
	r.eventually("the first attempt has ended", func() bool { return p.ended.Load() == 1 })
	for range 3 { // of the committer's turns
		before := time.Now()
		r.eventually("the committer has had a turn", func() bool { return time.Since(before) > commitTurn })
		if c := r.cluster.GroupOffsets("group")["in"][0].Offset; c > 0 {
			t.Fatalf("committed %d by a result of the lost assignment", c)
		}
	}
	p.release(1)
	r.awaitSettled(w)
	w.drain()
	if got := r.values("out")["0"]; got != 1 {
		t.Errorf("the record was written %d times, want once, by the later assignment", got)
	}
	wantEach(t, r.values("out"), 0, n, true) // the other records may have been written under both
	if letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted()); len(letters) > 0 {
		t.Errorf("%d dead letters of the lost assignment", len(letters))
	}
	if dropped := w.engine.Status().Totals.RecordsDropped; dropped > 0 {
		t.Errorf("%d records dropped for the lost assignment", dropped)
	}
	if got := p.observed.Load(); got != 1 {
		t.Errorf("observed %d outcomes of the record, want one", got)
	}
}

// TestLateResultsAfterTheDrainTimeoutAreDropped: a record is in an attempt when
// its partition goes to another worker, which writes it. The attempt's result comes
// later, and is not written: it would be a duplicate, and a key's old value after its
// new one.
func TestLateResultsAfterTheDrainTimeoutAreDropped(t *testing.T) {
	onBoth(t, 2, func(t *testing.T, r *rig) {
		const n = 200
		r.produce(0, n, 2)
		stuck := make(chan struct{})
		release := sync.OnceFunc(func() { close(stuck) })
		t.Cleanup(release)
		var begun, ended atomic.Int32
		a := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
			if v := string(rec.Value); v == "0" || v == "1" { // one of each partition
				begun.Add(1)
				<-stuck
				defer ended.Add(1)
			}
			return rec.Value, nil
		}), func(c *config.Config) {
			c.DrainTimeout = duration(time.Second)
			c.Failure.Timeout = duration(5 * time.Minute)
			c.Ordering = config.Partition
		})
		r.eventually("both partitions are stuck", func() bool { return begun.Load() == 2 })
		b := r.start(identity)
		r.eventually("the other worker has one and is through with it", func() bool {
			return owned(b) == 1 && len(r.values("out")) == n/2
		})
		release()
		r.awaitSettled(a, b)
		r.eventually("both attempts have ended", func() bool { return ended.Load() == 2 })
		a.drain()
		b.drain()
		wantEach(t, r.values("out"), 0, n, false)
	})
}

// TestMemoryOfGivenUpPartitionsIsFreed loses partitions with all that they have in
// flight again and again. That memory must not count for ever: nothing would be
// read any more.
func TestMemoryOfGivenUpPartitionsIsFreed(t *testing.T) {
	r, _ := fakeRig(t, 2)
	const n, size = 200, 10_000
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: "in", Partition: int32(i % 2), Value: noise(size)})
	}
	r.cluster.Produce(records...)
	stuck := make(chan struct{})
	release := sync.OnceFunc(func() { close(stuck) })
	t.Cleanup(release)
	w := r.start(worker.Map(func(context.Context, *worker.Record) ([]byte, error) {
		<-stuck
		return []byte("done"), nil
	}), func(c *config.Config) {
		c.InFlight.Bytes = 16 << 20
		c.Failure.Timeout = duration(5 * time.Minute)
	})
	allInFlight := func() bool { return w.engine.Status().Members[0].InFlight.Records == n }
	r.eventually("everything is in flight", allInFlight)
	first := w.engine.Memory()
	for range 4 {
		generation := w.engine.Status().Members[0].Generation
		r.throwOut(w)
		r.eventually("everything is in flight under the next assignment", func() bool {
			return w.engine.Status().Members[0].Generation != generation && allInFlight()
		})
	}
	r.eventually("only the records in flight now count", func() bool { return w.engine.Memory() < 2*first })
	release()
	r.awaitSettled(w)
	w.drain()
}
