package kafkawatch

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/admin"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestDeleteGroup(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "delete-group"))
	testDeleteGroup(t, &cluster.Cluster)
}

func TestDeleteGroupOnApacheKafka(t *testing.T) {
	broker := kafkatest.Shared(t)
	broker.CreateTopic("delete-group", 1, nil)
	testDeleteGroup(t, &broker.Cluster)
}

func testDeleteGroup(t *testing.T, cluster *kafkatest.Cluster) {
	const topic = "delete-group"
	member := cluster.Client(kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(50*time.Millisecond))
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), topic)
	h.eventually("a member", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		member.PollFetches(ctx)
		id, _ := member.GroupMetadata()
		return id != ""
	})
	h.set(key, target)
	h.good(key)
	var d Deletion
	h.eventually("a refusal", func() bool { d = h.DeleteGroup(key, target); return d.Err != nil })
	if !errors.Is(d.Err, admin.ErrGroupNotEmpty) || d.Done {
		t.Errorf("with a member: got %+v", d)
	}
	if f := h.Facts(key); !f.At.IsZero() {
		t.Errorf("still watched: %+v", f)
	}
	woken := h.wakesOf(key)
	member.Close()
	h.eventually("a wake for the end", func() bool { return h.wakesOf(key) == woken+1 })
	if d := h.DeleteGroup(key, target); !d.Done || d.Err != nil {
		t.Errorf("without members: got %+v", d)
	}
	if got := h.connected(); got != 0 {
		t.Errorf("%d sets of connections are left, want none", got)
	}
	// A group that does not exist counts as deleted.
	h.eventually("the end", func() bool { return h.DeleteGroup(key, target).Done })
}

func TestDeletionIsRetriedAndForgotten(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "a"))
	fault := cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.DeleteGroups}, Err: kerr.GroupAuthorizationFailed, Count: -1,
	})
	h := start(t)
	target := targetOf(cluster.Addrs(), "a")
	keys := []string{"a", "forgotten"}
	for _, name := range keys {
		h.DeleteGroup(named(name), target)
	}
	for _, name := range keys {
		h.eventually("a refusal", func() bool { return kafka.Refused(h.DeleteGroup(named(name), target).Err) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := fault.Wait(ctx, fault.Hits()+6); err != nil {
		t.Fatalf("not tried again: %v", err)
	}
	if got := h.wakesOf(named("a")); got != 1 {
		t.Errorf("woke %d times for one refusal", got)
	}
	h.Forget(named("forgotten"))
	fault.Remove()
	h.eventually("the end", func() bool { return h.DeleteGroup(named("a"), target).Done })
	if got := h.wakesOf(named("forgotten")); got != 1 {
		t.Errorf("woke %d times for a forgotten StreamProcessor", got-1)
	}
	if got := h.connected(); got != 0 {
		t.Errorf("%d sets of connections are left, want none", got)
	}
}

// TestDeletionOfAnother checks that the end of one group's deletion does not count for
// another group.
func TestDeletionOfAnother(t *testing.T) {
	cluster := kafkatest.Fake(t)
	h := start(t)
	target := targetOf(cluster.Addrs(), "a")
	h.DeleteGroup(named("a"), target)
	h.eventually("a wake", func() bool { return h.wakesOf(named("a")) == 1 })
	target.GroupID = "b"
	if d := h.DeleteGroup(named("a"), target); d.Done {
		t.Error("the end of another group's deletion counts for this one")
	}
	h.eventually("the end", func() bool { return h.DeleteGroup(named("a"), target).Done })
}
