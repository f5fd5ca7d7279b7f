package group

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestCommitOfManyPartitions: the metadata of many partitions is more than the coordinator
// can write in one batch. It is committed all the same, in a transaction too.
func TestCommitOfManyPartitions(t *testing.T) {
	const partitions = 300
	broker := kafkatest.Shared(t)
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("commit-of-many"), partitions)
	c := f.start(func(c *crew) { c.idle, c.cfg.HeartbeatInterval = true, time.Second })
	f.await(c)
	offsets := func(offset int64) (all []CommitOffset) {
		for p := range int32(partitions) {
			all = append(all, CommitOffset{c.holding(p), offset, strings.Repeat("x", 4096), -1})
		}
		return all
	}
	if err := c.m.Commit(testkit.Context(t), offsets(1)); err != nil {
		t.Errorf("Commit: %v", err)
	}
	s := c.session()
	if err := c.m.CommitIn(testkit.Context(t), s, offsets(2)); err != nil {
		t.Fatalf("CommitIn: %v", err)
	}
	if err := s.End(testkit.Context(t), true); err != nil {
		t.Fatal(err)
	}
	for _, p := range []int32{0, partitions - 1} {
		if got := c.committedSoon(p); got.Offset != 2 {
			t.Errorf("partition %d: committed %v", p, got.Offset)
		}
	}
}
