package engine_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
)

// addPartitions grows the input topic.
func (r *rig) addPartitions(count int32) {
	r.t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 5000
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "in", count
	req.Topics = append(req.Topics, topic)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	res, err := req.RequestWith(ctx, r.cluster.Client())
	if err != nil || res.Topics[0].ErrorCode != 0 {
		r.t.Fatalf("add partitions: %v, %+v", err, res)
	}
	r.eventually("the partitions have leaders", func() bool { return r.cluster.Partitions("in") == count })
}

// TestLatestIsForTheFirstStart writes to a partition that is added while a worker
// runs, and to one that is added while no worker runs, before any worker notices them.
func TestLatestIsForTheFirstStart(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		r.produceRun(0, 5000, 10) // before the first start
		w := r.start(identity, startingAt(config.Latest))
		r.eventually("it has begun", func() bool { return w.partition(0).Committed == 10 })
		r.addPartitions(2)
		r.produceRun(1, 0, 200)
		r.eventually("the new partition is read", func() bool { return w.partition(1).Watermark == 200 })
		w.drain()

		r.addPartitions(3)
		r.produceRun(2, 200, 100)
		w = r.start(identity, startingAt(config.Latest))
		r.eventually("the new partition is read", func() bool { return w.partition(2).Watermark == 100 })
		w.drain()
		got := r.values("out")
		wantEach(t, got, 0, 300, false)
		if len(got) != 300 {
			t.Errorf("%d records were written, want 300: those before the first start are not the group's", len(got))
		}
	})
}

// TestStatusHasTheNumberOfPartitions: /status has the number from the start on, and
// follows its changes. An operator that can't reach Kafka bounds the pods by it.
func TestStatusHasTheNumberOfPartitions(t *testing.T) {
	r, _ := fakeRig(t, 3)
	w := r.start(identity)
	r.eventually("the number is known", func() bool { return w.engine.Status().Partitions == 3 })
	r.addPartitions(5)
	r.eventually("the number has grown", func() bool { return w.engine.Status().Partitions == 5 })
}

// TestLatestWithManyMembers starts members at once: the commits of the first members
// must not make the others believe that the group has started before.
func TestLatestWithManyMembers(t *testing.T) {
	r, _ := fakeRig(t, 8)
	for p := range int32(8) {
		r.produceRun(p, 1000*int(p), 50)
	}
	var workers []*running
	for range 3 {
		workers = append(workers, r.start(identity, startingAt(config.Latest), func(c *config.Config) { c.Members = 2 }))
	}
	r.awaitSettled(workers...)
	for p := range int32(8) {
		r.produceRun(p, 100_000+int(p)*10, 10)
	}
	r.awaitSettled(workers...)
	for _, w := range workers {
		w.drain()
	}
	got := r.values("out")
	wantEach(t, got, 100_000, 80, true)
	for i := range 8000 {
		if got[strconv.Itoa(i)] > 0 {
			t.Fatalf("record %d was written before the group's first start, and read", i)
		}
	}
}

// TestPartitionThatCouldNotBegin: at the first start one partition's leader is away, and
// comes back after the worker has ended. The next worker reads all records since the
// first start.
func TestPartitionThatCouldNotBegin(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.produceRun(0, 5000, 10)
	r.produceRun(1, 6000, 10)
	away := fake.Faults.Fault(leaderAway(1))
	w := r.start(identity, startingAt(config.Latest))
	r.eventually("the other one has begun", func() bool { return w.partition(0).Committed == 10 })
	w.drain()
	away.Remove()
	r.produceRun(1, 0, 30)
	w = r.start(identity, startingAt(config.Latest))
	r.awaitSettled(w)
	w.drain()
	got := r.values("out")
	wantEach(t, got, 0, 30, false)
	if len(got) != 30 {
		t.Errorf("%d records were written, want the 30 since the first start", len(got))
	}
}
