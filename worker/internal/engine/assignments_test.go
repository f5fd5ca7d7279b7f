package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// throwOut takes a worker's members out of the group, as a coordinator does whose
// heartbeats did not arrive.
func (r *rig) throwOut(w *running) {
	r.t.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = r.cfg.Input.GroupID
	for _, m := range w.engine.Status().Members {
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = m.ID
		req.Members = append(req.Members, member)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	res, err := req.RequestWith(ctx, r.cluster.Client())
	if err != nil || res.ErrorCode != 0 {
		r.t.Fatalf("take the members out of the group: %v, %+v", err, res)
	}
}

// inState returns how many partitions of a worker are in a state.
func inState(w *running, state string) (n int) {
	for _, m := range w.engine.Status().Members {
		for _, p := range m.Partitions {
			if p.State == state {
				n++
			}
		}
	}
	return n
}

// onBoth runs a test on kfake and on Apache Kafka, with the topics of newRig.
func onBoth(t *testing.T, partitions int32, test func(t *testing.T, r *rig), opts ...kafkatest.Option) {
	t.Helper()
	t.Run("fake", func(t *testing.T) {
		r, _ := fakeRig(t, partitions)
		test(t, r)
	})
	t.Run("Apache", func(t *testing.T) {
		test(t, newRig(t, &kafkatest.Apache(t, opts...).Cluster, partitions))
	})
}

// TestDrainOfAnEarlierAssignmentEndsWithIt: a partition is lost while it drains,
// and assigned again. When the drain timeout of the earlier assignment has
// passed, the later one is neither committed backwards nor given away.
func TestDrainOfAnEarlierAssignmentEndsWithIt(t *testing.T) {
	onBoth(t, 2, drainOfAnEarlierAssignment)
}

func drainOfAnEarlierAssignment(t *testing.T, r *rig) {
	const n, drainTimeout = 200, 8 * time.Second
	r.produce(0, n, 2)
	var stuck, processed atomic.Int64
	first := make(chan struct{})
	t.Cleanup(func() { close(first) })
	p := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		processed.Add(1)
		if v := string(rec.Value); (v == "0" || v == "1") && stuck.Add(1) <= 2 { // one of each partition
			<-first
		}
		return rec.Value, nil
	})
	short := func(c *config.Config) {
		c.Input.SessionTimeout = duration(6 * time.Second)
		c.DrainTimeout = duration(drainTimeout)
		c.Failure.Timeout = duration(time.Minute) // the attempts are not to overrun
		c.Ordering = config.Partition
	}
	a := r.start(p, short)
	r.eventually("both partitions are stuck", func() bool { return stuck.Load() == 2 })
	b := r.start(identity, short)
	r.eventually("one of them drains", func() bool { return inState(a, "draining") == 1 })
	began := time.Now()
	b.drain()
	r.throwOut(a)
	r.eventually("the records are in attempts of the next assignment", func() bool { return stuck.Load() >= 4 })
	r.awaitSettled(a)
	r.eventually("everything is committed", r.committedAll)

	before, generation := processed.Load(), a.engine.Status().Members[0].Generation
	r.eventually("the earlier drain timeout has passed", func() bool {
		if !r.committedAll() {
			t.Fatal("the commit of a partition went back")
		}
		return time.Since(began) > drainTimeout+2*commitTurn
	})
	if again := processed.Load() - before; again > 0 {
		t.Errorf("%d records were processed again", again)
	}
	if g := a.engine.Status().Members[0].Generation; g != generation {
		t.Errorf("generation %d became %d: a partition was given away", generation, g)
	}
}
