package engine_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// recreate deletes the input topic and creates it again.
func (r *rig) recreate(partitions int32) {
	r.t.Helper()
	r.cluster.DeleteTopic("in")
	r.eventually("the topic is gone", func() bool { return r.cluster.Partitions("in") == 0 })
	r.cluster.CreateTopic("in", partitions, nil)
}

// TestTopicRecreatedWhileItIsRead deletes the topic under a worker and creates it
// again, with more records than the worker had read of the former one. The worker reads
// them with every start offset.
func TestTopicRecreatedWhileItIsRead(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		r.produceRun(0, 0, 10)
		r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 0})
		w := r.start(identity, startingAt(config.Latest))
		r.awaitSettled(w)
		r.recreate(1)
		r.produceRun(0, 100, 50)
		r.eventually("the new topic is read from its beginning", func() bool { return len(r.values("out")) == 60 })
		loss := w.partition(0).Loss
		r.eventually("it is committed", func() bool { return r.cluster.GroupOffsets("group")["in"][0].Offset == 50 })
		w.drain()
		got := r.values("out")
		wantEach(t, got, 0, 10, false)
		wantEach(t, got, 100, 50, false)
		if loss == nil || loss.Reason != workerstatus.LossTopicRecreated || loss.Offsets != 0 {
			t.Errorf("lost %+v, want a topic that was created again, and no offset that was not read", loss)
		}
	})
}

// TestTopicRecreatedBetweenRuns: the test commits the group's offset of the former topic
// again, since some brokers keep it.
func TestTopicRecreatedBetweenRuns(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		r.produceRun(0, 0, 10)
		w := r.start(identity)
		r.awaitSettled(w)
		r.eventually("it is committed", func() bool { return r.cluster.GroupOffsets("group")["in"][0].Offset == 10 })
		w.drain()
		left := r.cluster.GroupOffsets("group")["in"]
		r.recreate(1)
		r.produceRun(0, 100, 50)
		r.cluster.Commit("group", "in", map[int32]kafkatest.Committed{0: {Offset: 10, LeaderEpoch: -1, Metadata: left[0].Metadata}})

		halted := r.start(identity, haltingOnLoss)
		r.eventually("the partition is halted", func() bool { return halted.partition(0).State == "halted" })
		halted.drain()

		w = r.start(identity, startingAt(config.Latest))
		r.awaitSettled(w)
		loss := w.partition(0).Loss
		w.drain()
		wantEach(t, r.values("out"), 100, 50, false)
		if loss == nil || loss.Reason != workerstatus.LossTopicRecreated {
			t.Errorf("lost %+v, want a topic that was created again", loss)
		}
	})
}

// TestTopicRecreatedBehindWhatIsFetched: the worker has fetched more of the former topic
// than its last commit there allows to dispatch.
func TestTopicRecreatedBehindWhatIsFetched(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		const n = 20_000
		r.produceRun(0, 0, n)
		gate := make(chan struct{})
		release := sync.OnceFunc(func() { close(gate) })
		t.Cleanup(release) // so that a failed test ends
		w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
			<-gate
			return rec.Value, nil
		}), startingAt(config.Earliest), func(c *config.Config) { c.Failure.Timeout = duration(5 * time.Minute) })
		r.eventually("records are in flight", func() bool { return w.partition(0).InFlight.Records > 0 })
		r.recreate(1)
		r.produceRun(0, n, 50)
		r.eventually("the loss is noticed", func() bool { return w.partition(0).Loss != nil })
		release()
		r.eventually("the new topic is read to its end", func() bool {
			return r.cluster.GroupOffsets("group")["in"][0].Offset == 50
		})
		w.drain()
		wantEach(t, r.values("out"), 0, n+50, false)
	})
}
