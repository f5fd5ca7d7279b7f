package engine_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// leaderAway has no broker answer for a partition of the input.
func leaderAway(partition int32) kfake.Fault {
	return kfake.Fault{
		Keys: []kmsg.Key{kmsg.ListOffsets, kmsg.Fetch, kmsg.OffsetForLeaderEpoch}, Topic: "in",
		Partitions: []int32{partition}, Err: kerr.LeaderNotAvailable, Count: -1,
	}
}

// TestLeaderlessPartitionStopsNoOther starts a worker while one partition has no
// leader: for the first time, and after a crash, when it asks for its end.
func TestLeaderlessPartitionStopsNoOther(t *testing.T) {
	r, fake := fakeRig(t, 4)
	r.produce(0, 400, 400)
	away := fake.Faults.Fault(leaderAway(3))
	w := r.start(identity)
	read := func(watermark int64) func() bool {
		return func() bool {
			for p := range int32(3) {
				if w.partition(p).Watermark != watermark {
					return false
				}
			}
			return true
		}
	}
	r.eventually("the others are read", read(100))
	if p := w.partition(3); p.State != "acquiring" {
		t.Errorf("the partition is %s, want acquiring", p.State)
	}
	away.Remove()
	r.awaitSettled(w)
	r.eventually("all is committed", func() bool {
		for _, o := range r.cluster.GroupOffsets("group")["in"] {
			if o.Offset != 100 {
				return false
			}
		}
		return true
	})
	left := r.cluster.GroupOffsets("group")["in"] // as a killed worker leaves them
	w.drain()

	r.cluster.Commit("group", "in", left)
	r.produce(400, 400, 400)
	away = fake.Faults.Fault(leaderAway(3))
	w = r.start(identity)
	r.eventually("the others are read after a crash", read(200))
	away.Remove()
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, 800, false)
}

// TestOffsetThatCantBeReadStopsNoOther has the coordinator refuse the committed
// offset of one partition, as it does while a transaction is about to replace it.
func TestOffsetThatCantBeReadStopsNoOther(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.produce(0, 200, 200)
	held := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.OffsetFetch}, Topic: "in", Partitions: []int32{1}, Err: kerr.UnstableOffsetCommit, Count: -1,
	})
	w := r.start(identity)
	r.eventually("the other one is read", func() bool { return w.partition(0).Watermark == 100 })
	if p := w.partition(1); p.State != "acquiring" {
		t.Errorf("the partition is %s, want acquiring", p.State)
	}
	held.Remove()
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, 200, false)
}
