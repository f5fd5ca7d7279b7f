package produce

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func idleTopic(partitions int32) *TopicWriter {
	p := New(&kafka.Client{}, Config{})
	return newTopicWriter(p, "orders", partitions, TopicOptions{})
}

func (t *TopicWriter) placed(to Placement) int32 {
	return t.layout.Load().queue(to, nil).partition
}

func TestRecordsThatMayGoAnywherePassByPartitionsWithoutALeader(t *testing.T) {
	w := idleTopic(4)
	w.learn([]int32{1, -1, 2, -1}, nil)
	seen := map[int32]int{}
	for n := range uint32(400) {
		seen[w.placed(Anywhere(n))]++
		if got := w.placed(At(n)); got != int32(n%4) {
			t.Fatalf("At(%d) is partition %d", n, got)
		}
		if got := w.placed(Anywhere(n)); n%2 == 0 && got != int32(n%4) {
			t.Fatalf("Anywhere(%d) is partition %d, though %d has a leader", n, got, n%4)
		}
	}
	if seen[1]+seen[3] > 0 || seen[0] != 200 || seen[2] != 200 {
		t.Errorf("records by partition: %v; 1 and 3 have no leader", seen)
	}
	w.learn([]int32{-1, -1, -1, -1}, nil)
	for n := range uint32(8) {
		if got := w.placed(Anywhere(n)); got != int32(n%4) {
			t.Errorf("without any leader Anywhere(%d) is partition %d", n, got)
		}
	}
	w.learn([]int32{1, 1, 1, 1}, nil)
	if l := w.layout.Load(); l.away != nil {
		t.Errorf("all have leaders, and %v are away", l.away)
	}
}

// A broker that leads a partition may refuse to write all the same.
func TestRecordsThatMayGoAnywherePassByAPartitionThatFails(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 4, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond})
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{3}, Err: kerr.NotEnoughReplicas, Count: -1,
	})
	w.anywhere() // 0
	w.anywhere()
	w.anywhere()
	w.anywhere() // 3, which is refused
	testkit.Await(t, "partition 3 is passed by", func() bool { return w.w.layout.Load().away != nil })
	for range 400 {
		w.anywhere()
	}
	testkit.Await(t, "all are written", func() bool { return w.settled() == 404 })
	faults.Remove()
	w.check(&fake.Cluster)
	w.w.retryIdle(time.Now())
	if w.w.layout.Load().away == nil {
		t.Error("partition 3 is tried again at once")
	}
	w.w.retryIdle(time.Now().Add(retryIdleAfter))
	if w.w.layout.Load().away != nil {
		t.Error("partition 3 is still passed by")
	}
}
