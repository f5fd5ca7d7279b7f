package engine_test

import (
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestAWorkerThatCanNotCommitLeavesNoTransaction: the group's coordinator does not answer the
// last commit of a worker that stops. The worker aborts its transaction at the end, so that
// readers don't wait until that times out.
func TestAWorkerThatCanNotCommitLeavesNoTransaction(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact()
	r.cfg.Transaction.Interval, r.cfg.Transaction.Timeout = duration(5*time.Second), duration(5*time.Minute)
	r.cfg.DrainTimeout = duration(time.Second)
	w := r.start(identity)
	r.eventually("it owns everything", func() bool { return inState(w, "running") == 2 })
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	fake.Faults.ControlKey(kmsg.TxnOffsetCommit.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		fake.Faults.SleepControl(func() { <-never })
		return nil, nil, false
	})
	const n = 100
	r.produce(0, n, 16)
	r.eventually("the results are stored", func() bool { return w.metrics.RecordsOut.Value() == n })
	w.drain()
	stable, ends := r.cluster.EndOffsets("out", kgo.ReadCommitted()), r.cluster.EndOffsets("out", kgo.ReadUncommitted())
	if !maps.Equal(stable, ends) {
		t.Errorf("a transaction is open: readers of committed records see up to %v, the logs end at %v", stable, ends)
	}
	if seen := r.values("out"); len(seen) > 0 {
		t.Errorf("%d results are committed without their offsets", len(seen))
	}
}
