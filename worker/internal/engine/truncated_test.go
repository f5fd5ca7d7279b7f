package engine_test

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// TestTruncatedBetweenRuns: the group has committed ten records that the next leader,
// elected uncleanly, does not have, and the log has grown over their offsets.
func TestTruncatedBetweenRuns(t *testing.T) {
	t.Run("fake", func(t *testing.T) {
		fake := kafkatest.Fake(t, kfake.NumBrokers(2))
		r := newRig(t, &fake.Cluster, 1)
		truncatedBetweenRuns(t, r, func() { moveLeader(t, fake) })
	})
	t.Run("Apache", func(t *testing.T) {
		r, broker := apacheRig(t, 1)
		truncatedBetweenRuns(t, r, func() {
			broker.Stop()
			broker.Start()
		})
	})
}

// moveLeader gives the input's partition to another broker, under the next epoch.
func moveLeader(t *testing.T, fake *kafkatest.FakeCluster) {
	t.Helper()
	if err := fake.Faults.MoveTopicPartition("in", 0, 1-fake.Faults.LeaderFor("in", 0)); err != nil {
		t.Fatal(err)
	}
}

func truncatedBetweenRuns(t *testing.T, r *rig, nextLeader func()) {
	r.produceRun(0, 0, 1000)
	w := r.start(identity)
	r.awaitSettled(w)
	r.eventually("it is committed", func() bool { return r.cluster.GroupOffsets("group")["in"][0].Offset == 1000 })
	left := r.cluster.GroupOffsets("group")["in"][0]
	w.drain()
	if left.LeaderEpoch < 0 {
		t.Fatalf("committed %+v, want it with the leader epoch of the last record", left)
	}
	nextLeader()
	r.produceRun(0, 1000, 50)
	left.Offset += 10
	left.Metadata = ""
	r.cluster.Commit("group", "in", map[int32]kafkatest.Committed{0: left})

	w = r.start(identity)
	r.awaitSettled(w)
	loss := w.partition(0).Loss
	w.drain()
	got := r.values("out")
	wantEach(t, got, 0, 1050, false)
	if loss == nil || loss.Reason != workerstatus.LossTruncated || loss.From != 1000 || loss.To != 1010 {
		t.Errorf("lost %+v, want the offsets from 1000 to 1010 by truncation", loss)
	}
}

// TestTruncatedWhileItIsRead has a new leader cut the log below the records that a
// running worker has settled and has in flight.
func TestTruncatedWhileItIsRead(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	r := newRig(t, &fake.Cluster, 1)
	r.produceRun(0, 0, 100)
	w := r.start(identity)
	r.awaitSettled(w)
	var cut atomic.Bool
	fake.Faults.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.OffsetForLeaderEpochRequest)
		res := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		topic, p := kmsg.NewOffsetForLeaderEpochResponseTopic(), kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
		topic.Topic = "in"
		p.LeaderEpoch, p.EndOffset = req.Topics[0].Partitions[0].LeaderEpoch, 90
		topic.Partitions = append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		cut.Store(true)
		return res, nil, true
	})
	moveLeader(t, fake)
	r.eventually("it is noticed", cut.Load)
	// The fake has not cut anything: the records are read again, as others would be.
	r.eventually("it is read from there", func() bool {
		p := w.partition(0)
		return p.Watermark == 100 && p.Loss != nil && p.Committed == 100 && len(r.cluster.ConsumeAll("out", kgo.ReadUncommitted())) == 110
	})
	loss := w.partition(0).Loss
	w.drain()
	if loss.Reason != workerstatus.LossTruncated || loss.From != 90 || loss.To != 100 || loss.Offsets != 10 {
		t.Errorf("lost %+v, want the offsets from 90 to 100 by truncation", loss)
	}
}
