package kafkawatch

import (
	"context"
	"fmt"
	"slices"
	"sync"
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

// joins counts the JoinGroup requests by group.
type joins struct {
	mu sync.Mutex
	of map[string]int // guarded by mu
}

func countJoins(cluster *kafkatest.FakeCluster) *joins {
	j := &joins{of: map[string]int{}}
	cluster.Faults.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.KeepControl()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.of[req.(*kmsg.JoinGroupRequest).Group]++
		return nil, nil, false
	})
	return j
}

func (j *joins) in(group string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.of[group]
}

// leaveOffsets makes a group in the state in which workers leave it: with offsets and no
// members.
func leaveOffsets(t *testing.T, cluster *kafkatest.Cluster, group, topic string, offsets map[int32]int64) {
	t.Helper()
	admin, err := admin.New(kafka.ClientConfig{BootstrapServers: cluster.Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	cluster.Eventually("a member of "+group+" has come and gone", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return admin.RenewGroup(ctx, group, topic) == nil
	})
	cluster.CommitOffsets(group, topic, offsets)
}

// hasOffset reports whether a group has committed an offset of a topic.
func hasOffset(cluster *kafkatest.Cluster, group, topic string) bool {
	for _, o := range cluster.GroupOffsets(group)[topic] {
		if o.Offset >= 0 {
			return true
		}
	}
	return false
}

// TestOffsetsOutliveTheirRetention checks that a watched group without members keeps its
// offsets, while Kafka deletes those of other groups.
func TestOffsetsOutliveTheirRetention(t *testing.T) {
	t.Parallel() // the test mostly waits
	broker := kafkatest.Apache(t,
		kafkatest.Property("offsets.retention.minutes", "1"), kafkatest.Property("offsets.retention.check.interval.ms", "1000"))
	cluster := &broker.Cluster
	cluster.CreateTopic("orders", 2, nil)
	leave := func(group string) { leaveOffsets(t, cluster, group, "orders", map[int32]int64{0: 0, 1: 0}) }
	leave("kept")
	h := startWith(t, func(w *Watcher) { w.keeping.look = time.Second })
	target := targetOf(broker.Addrs(), "orders")
	target.GroupID = "kept"
	h.set(named("suspended"), target)
	for period := range 2 {
		control := fmt.Sprint("control-", period)
		leave(control)
		awaitWithin(t, 3*time.Minute, "the offsets of a group that nobody keeps expire", func() bool {
			return !hasOffset(cluster, control, "orders")
		})
		if !hasOffset(cluster, "kept", "orders") {
			t.Fatalf("the offsets of the watched group are gone after %d retention periods", period+1)
		}
	}
	if f := h.Facts(named("suspended")); f.Gone != nil || f.Partitions[0].Committed != 0 {
		t.Errorf("facts %+v", f)
	}
}

// awaitWithin checks the condition twice a second.
func awaitWithin(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(500 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

// TestOnlyGroupsThatNeedItAreRenewed checks that the keeper does not renew groups with
// members, which would rebalance, nor groups without offsets.
func TestOnlyGroupsThatNeedItAreRenewed(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "left", "busy", "new"),
		kfake.BrokerConfigs(map[string]string{"offsets.retention.minutes": "1"}))
	leaveOffsets(t, &cluster.Cluster, "left", "left", map[int32]int64{0: 0})
	worker, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.ConsumerGroup("busy"), kgo.ConsumeTopics("busy"),
		kgo.Balancers(kgo.CooperativeStickyBalancer()))
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	cluster.Produce(&kgo.Record{Topic: "busy", Value: value})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if worker.PollFetches(ctx).NumRecords() == 0 {
		t.Fatal("the worker reads nothing")
	}
	if err := worker.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	j := countJoins(cluster)
	// Every look finds the groups due.
	h := startWith(t, func(w *Watcher) { w.keeping = keeping{look: 10 * time.Millisecond, most: time.Millisecond} })
	for _, topic := range []string{"left", "busy", "new"} {
		h.set(named(topic), targetOf(cluster.Addrs(), topic))
		h.good(named(topic))
	}
	h.eventually("several renewals", func() bool { return j.in("left") >= 6 }) // two requests each
	if n := j.in("busy"); n > 0 {
		t.Errorf("joined a group with a member %d times", n)
	}
	if n := j.in("new"); n > 0 {
		t.Errorf("joined a group without offsets %d times", n)
	}
	h.Forget(named("left"))
	h.Forget(named("busy"))
	h.Forget(named("new"))
}

// TestRenewalsAreRareAndFew checks that the keeper renews each group once per interval,
// describes many groups with one request, and retries a failed renewal.
func TestRenewalsAreRareAndFew(t *testing.T) {
	const groups = 150
	topics := make([]string, groups)
	for i := range topics {
		topics[i] = fmt.Sprint("topic-", i)
	}
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, topics...))
	for _, topic := range topics {
		leaveOffsets(t, &cluster.Cluster, topic, topic, map[int32]int64{0: 0})
	}
	j := countJoins(cluster)
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Group: "topic-7", Err: kerr.CoordinatorNotAvailable, Count: 3})
	described := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Count: -1, Observe: true})
	h := startWith(t, func(w *Watcher) { w.keeping.look = 200 * time.Millisecond })
	for _, topic := range topics {
		h.set(named(topic), targetOf(cluster.Addrs(), topic))
	}
	h.eventually("all are renewed", func() bool {
		return !slices.ContainsFunc(topics, func(topic string) bool { return j.in(topic) < 2 })
	})
	h.eventually("the one that failed too", func() bool { return j.in("topic-7") >= 5 })
	if n := described.Hits(); n > 20 {
		t.Errorf("%d requests describe %d groups", n, groups)
	}
	rounds(t, cluster, 40) // long enough for several looks of the keeper
	for _, topic := range topics {
		if n := j.in(topic); topic != "topic-7" && n != 2 {
			t.Errorf("%d joins of group %s within an interval, want 2", n, topic)
		}
	}
}

// TestOffsetsThatAreGoneAreNoticed checks that Facts.Gone lists the partitions whose offsets
// were deleted, until there is a commit again.
func TestOffsetsThatAreGoneAreNoticed(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(3, "orders"))
	cluster.CommitOffsets("orders", "orders", map[int32]int64{0: 1, 2: 1})
	h := start(t)
	key := named("a")
	h.set(key, targetOf(cluster.Addrs(), "orders"))
	if f := h.good(key); f.Gone != nil {
		t.Errorf("got gone partitions at the start: %v", f.Gone)
	}
	admin, err := admin.New(kafka.ClientConfig{BootstrapServers: cluster.Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.DeleteGroup(context.Background(), "orders"); err != nil {
		t.Fatal(err)
	}
	h.facts(key, "the loss", func(f Facts) bool { return slices.Equal(f.Gone, []int32{0, 2}) })
	cluster.CommitOffsets("orders", "orders", map[int32]int64{2: 0})
	h.facts(key, "the commit", func(f Facts) bool { return slices.Equal(f.Gone, []int32{0}) })
	cluster.CommitOffsets("orders", "orders", map[int32]int64{0: 0})
	h.facts(key, "the other commit", func(f Facts) bool { return f.Gone == nil })
}
