package engine_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestPostponedResultsOfAGivenUpPartitionAreNotWritten: the results of a partition wait for
// a partition of the output that takes none, and the partition moves to another worker when
// its drain has timed out. The results are processed again there, so the first worker must
// not write those that it has.
func TestPostponedResultsOfAGivenUpPartitionAreNotWritten(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact()
	r.cfg.DrainTimeout, r.cfg.Transaction.Timeout = duration(time.Second), duration(time.Second)
	trouble := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: -1,
	})
	const n = 400
	r.produce(0, n, 40)
	first := r.start(identity)
	r.eventually("some results are written, and others can't be", func() bool {
		return first.metrics.RecordsOut.Value() > 0 && trouble.Hits() > 0
	})
	second := r.start(identity)
	r.eventually("a partition has moved", func() bool { return owned(second) == 1 && inState(second, "running") == 1 })
	trouble.Remove()
	r.awaitSettled(first, second)
	first.drain()
	second.drain()
	wantEach(t, r.committed("out"), 0, n, false)
	r.wantCommitted("group")
}

// TestStopAfterAnAbortClosesPartitions: the last transaction of a worker that stops is
// aborted. The worker gives its partitions up in good order all the same, so that the next
// owner suspects no record.
func TestStopAfterAnAbortClosesPartitions(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact().cfg.Transaction.Interval = duration(5 * time.Second)
	w := r.start(identity)
	r.eventually("it owns everything", func() bool { return inState(w, "running") == 2 })
	const n = 100
	r.produce(0, n, 16)
	r.eventually("the results are stored", func() bool { return w.metrics.RecordsOut.Value() == n })
	refused := failEnds(fake, 1)
	w.drain()
	if refused.Load() != 1 {
		t.Fatalf("%d requests were refused", refused.Load())
	}
	r.wantClosed()
	second := r.start(identity)
	r.awaitSettled(second)
	second.drain()
	wantEach(t, r.committed("out"), 0, n, false)
}

// TestHandoverAfterAnAbortClosesPartitions: the last transaction of a partition that moves
// is aborted. Its next owner suspects no record.
func TestHandoverAfterAnAbortClosesPartitions(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact().cfg.Transaction.Interval = duration(5 * time.Second)
	first := r.start(identity)
	r.eventually("it owns everything", func() bool { return inState(first, "running") == 2 })
	const n = 100
	r.produce(0, n, 16)
	r.eventually("the results are stored", func() bool { return first.metrics.RecordsOut.Value() == n })
	refused := failEnds(fake, 1)
	second := r.start(identity)
	r.eventually("a partition has moved", func() bool { return owned(second) == 1 && inState(second, "running")+inState(second, "careful") == 1 })
	r.awaitSettled(first, second)
	first.drain()
	second.drain()
	if lines := second.log.lines("last owner died"); refused.Load() != 1 || len(lines) > 0 {
		t.Errorf("%d requests were refused; the next owner says: %v", refused.Load(), lines)
	}
	wantEach(t, r.committed("out"), 0, n, false)
}
