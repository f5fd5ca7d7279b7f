package kafkawatch

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

var value = []byte("v")

func TestFacts(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(2, "orders"))
	cluster.Produce(&kgo.Record{Topic: "orders", Value: value}, &kgo.Record{Topic: "orders", Value: value},
		&kgo.Record{Topic: "orders", Partition: 1, Value: value})
	cluster.CommitOffsets("orders", "orders", map[int32]int64{0: 1})
	h := start(t)
	h.set(named("a"), targetOf(cluster.Addrs(), "orders"))
	h.partitions(named("a"), Partition{0, 2, 1}, Partition{0, 1, -1})

	if err := cluster.Faults.DeleteRecords("orders", 0, 2); err != nil {
		t.Fatal(err)
	}
	cluster.CommitOffsets("orders", "orders", map[int32]int64{1: 1})
	h.partitions(named("a"), Partition{2, 2, 1}, Partition{0, 1, 1})
	if f := h.Facts(named("a")); f.Err != nil || !f.Since.IsZero() || f.Missing != nil || !f.MissingSince.IsZero() {
		t.Errorf("got errors in good facts: %+v", f)
	}
	h.Forget(named("a"))
	if f := h.Facts(named("a")); !f.At.IsZero() || f.Partitions != nil {
		t.Errorf("got facts after Forget: %+v", f)
	}
}

// TestIsolation checks that the end of a topic depends on the isolation level.
func TestIsolation(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	txn := cluster.Begin("txn")
	txn.Produce(&kgo.Record{Topic: "orders", Value: value})
	defer txn.Abort()
	h := start(t)
	committed, uncommitted := targetOf(cluster.Addrs(), "orders"), targetOf(cluster.Addrs(), "orders")
	uncommitted.Isolation = config.ReadUncommitted
	h.set(named("committed"), committed)
	h.set(named("uncommitted"), uncommitted)
	h.partitions(named("committed"), Partition{0, 0, -1})
	h.partitions(named("uncommitted"), Partition{0, 1, -1})
}

func TestWakesOnlyWhoseFactsChange(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "busy", "idle"))
	h := start(t)
	busy, idle := named("busy"), named("idle")
	h.set(busy, targetOf(cluster.Addrs(), "busy"))
	h.set(idle, targetOf(cluster.Addrs(), "idle"))
	h.partitions(busy, Partition{0, 0, -1})
	h.partitions(idle, Partition{0, 0, -1})
	if got := h.wakesOf(busy) + h.wakesOf(idle); got != 2 {
		t.Errorf("woke %d times for the first facts of two", got)
	}
	rounds(t, cluster, 5)
	if got := h.wakesOf(busy) + h.wakesOf(idle); got != 2 {
		t.Errorf("woke %d times while nothing changed", got-2)
	}
	cluster.Produce(&kgo.Record{Topic: "busy", Value: value})
	h.eventually("a wake for a new record", func() bool { return h.wakesOf(busy) == 2 })
	h.partitions(busy, Partition{0, 1, -1})
	rounds(t, cluster, 3)
	if h.wakesOf(busy) != 2 || h.wakesOf(idle) != 1 {
		t.Errorf("woke %d and %d times, want 2 and 1", h.wakesOf(busy), h.wakesOf(idle))
	}
	// Setting the same target again is no change.
	h.set(busy, targetOf(cluster.Addrs(), "busy"))
	rounds(t, cluster, 2)
	if got := h.wakesOf(busy); got != 2 {
		t.Errorf("an idempotent Set woke %d times", got-2)
	}
}

func TestHistory(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), "orders")
	h.set(key, target)
	h.eventually("samples of an idle topic", func() bool { return len(h.History(key)) >= 3 })
	cluster.Produce(&kgo.Record{Topic: "orders", Value: value})
	h.eventually("a sample with the record", func() bool {
		history := h.History(key)
		return history[len(history)-1].Partitions[0].End == 1
	})
	history := h.History(key)
	if history[0].Partitions[0].End != 0 {
		t.Errorf("the first sample has changed: %+v", history[0])
	}
	if !slices.IsSortedFunc(history, func(a, b Sample) int { return a.At.Compare(b.At) }) {
		t.Error("the samples are not in order of time")
	}
	target.History = 0
	h.set(key, target)
	h.eventually("no history", func() bool { return h.History(key) == nil })
	if h.Facts(key).At.IsZero() {
		t.Error("the facts are lost with the history")
	}
}

func TestTopicsThatComeLaterAndGrow(t *testing.T) {
	cluster := kafkatest.Fake(t)
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), "in")
	target.Outputs = []string{"out", "dead"}
	h.set(key, target)
	f := h.good(key)
	if !slices.Equal(f.Missing, []string{"in", "out", "dead"}) || f.MissingSince.IsZero() || f.Partitions != nil {
		t.Fatalf("without topics: got %+v", f)
	}
	missing := func(want ...string) func(Facts) bool {
		return func(f Facts) bool { return f.Err == nil && slices.Equal(f.Missing, want) }
	}
	cluster.CreateTopic("in", 1, nil)
	since := h.facts(key, "the input topic", missing("out", "dead")).MissingSince
	if !since.Equal(f.MissingSince) {
		t.Errorf("missing since %v, then since %v", f.MissingSince, since)
	}
	h.partitions(key, Partition{0, 0, -1})
	cluster.CreateTopic("out", 1, nil)
	cluster.CreateTopic("dead", 1, nil)
	if f := h.facts(key, "all topics", missing()); !f.MissingSince.IsZero() {
		t.Errorf("got MissingSince %v although nothing is missing", f.MissingSince)
	}

	growTopic(t, cluster, "in", 3)
	h.partitions(key, Partition{0, 0, -1}, Partition{0, 0, -1}, Partition{0, 0, -1})

	cluster.DeleteTopic("in")
	f = h.facts(key, "the deletion", missing("in"))
	if len(f.Partitions) != 3 || f.Err != nil {
		t.Errorf("the last known partitions of a missing topic: got %+v", f)
	}
}

func growTopic(t *testing.T, cluster *kafkatest.FakeCluster, name string, partitions int32) {
	t.Helper()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = name, partitions
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), cluster.Client())
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("grow the topic: %v", err)
	}
}

func TestNotAuthorized(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "open", "closed"))
	h := start(t)
	h.set(named("open"), targetOf(cluster.Addrs(), "open"))
	h.set(named("closed"), targetOf(cluster.Addrs(), "closed"))
	h.good(named("open"))
	h.good(named("closed"))
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.ListOffsets, kmsg.OffsetFetch} {
		fault := kfake.Fault{Keys: []kmsg.Key{key}, Topic: "closed", Err: kerr.TopicAuthorizationFailed, Count: -1}
		if key == kmsg.OffsetFetch {
			fault.Topic, fault.Group, fault.Err = "", "closed", kerr.GroupAuthorizationFailed
		}
		handle := cluster.Faults.Fault(fault)
		f := h.facts(named("closed"), "a refusal", func(f Facts) bool { return f.Err != nil })
		if !errors.Is(f.Err, kafka.ErrNotAuthorized) || !kafka.Refused(f.Err) || f.Since.IsZero() || len(f.Partitions) != 1 {
			t.Errorf("%s refused: got %+v", key.Name(), f)
		}
		before := h.wakesOf(named("closed"))
		rounds(t, cluster, 3)
		if got := h.wakesOf(named("closed")); got != before {
			t.Errorf("%s: woke %d times for the same refusal", key.Name(), got-before)
		}
		if f := h.Facts(named("open")); f.Err != nil {
			t.Errorf("%s: the refusal for another StreamProcessor shows here too: %v", key.Name(), f.Err)
		}
		handle.Remove()
		h.good(named("closed"))
	}
	if got := h.wakesOf(named("open")); got != 1 {
		t.Errorf("woke another %d times", got-1)
	}
}

func TestPasswordIsCorrected(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "right"), kfake.SeedTopics(1, "orders"))
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), "orders")
	logIn(&target, "ann", "wrong")
	h.set(key, target)
	f := h.facts(key, "a refusal", func(f Facts) bool { return f.Err != nil })
	// This broker closes the connection without an error.
	if !errors.Is(f.Err, kafka.ErrUnreachable) || !strings.Contains(f.Err.Error(), "the password") || !f.At.IsZero() {
		t.Errorf("a wrong password: got %+v", f)
	}
	logIn(&target, "ann", "right")
	h.set(key, target)
	h.partitions(key, Partition{0, 0, -1})
	if got := h.connected(); got != 1 {
		t.Errorf("%d sets of connections are left", got)
	}
}

func (w *Watcher) connected() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.clusters)
}

// TestConnectionsAreShared checks that StreamProcessors with the same credentials share
// connections, and that changed credentials keep the facts.
func TestConnectionsAreShared(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "a"), kfake.Superuser("PLAIN", "bob", "b"),
		kfake.NumBrokers(2), kfake.SeedTopics(1, "orders", "bills"))
	h := start(t)
	as := func(user, password, topic string, servers ...string) Target {
		target := targetOf(servers, topic)
		logIn(&target, user, password)
		return target
	}
	servers := cluster.Addrs()
	h.set(named("1"), as("ann", "a", "orders", servers...))
	h.set(named("2"), as("ann", "a", "bills", servers[1], servers[0]))
	if got := h.connected(); got != 1 {
		t.Errorf("%d sets of connections for one user", got)
	}
	h.set(named("3"), as("bob", "b", "bills", servers...))
	if got := h.connected(); got != 2 {
		t.Errorf("%d sets of connections for two users", got)
	}
	first := h.good(named("1"))
	h.good(named("2"))
	h.set(named("1"), as("bob", "b", "orders", servers...))
	if f := h.Facts(named("1")); f.At.Before(first.At) || len(f.Partitions) != 1 {
		t.Errorf("the facts were lost with the old credentials: %+v", f)
	}
	h.facts(named("1"), "a newer answer", func(f Facts) bool { return f.At.After(first.At) && f.Err == nil })
	h.Forget(named("2"))
	if got := h.connected(); got != 1 {
		t.Errorf("%d sets of connections after the last of one user has gone", got)
	}
	h.Forget(named("1"))
	h.Forget(named("3"))
	if got := h.connected(); got != 0 {
		t.Errorf("%d sets of connections are left, want none", got)
	}
}

// TestAnotherTopicOrGroup checks that a new topic or group does not inherit facts.
func TestAnotherTopicOrGroup(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"), kfake.SeedTopics(2, "bills"))
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), "orders")
	h.set(key, target)
	h.partitions(key, Partition{0, 0, -1})
	target.GroupID = "other"
	cluster.CommitOffsets("other", "orders", map[int32]int64{0: 0})
	h.set(key, target)
	h.partitions(key, Partition{0, 0, 0})
	target.Topic = "bills"
	h.set(key, target)
	if f := h.Facts(key); len(f.Partitions) == 1 {
		t.Errorf("got facts of the old topic: %+v", f)
	}
	h.partitions(key, Partition{0, 0, -1}, Partition{0, 0, -1})
}

func TestTLS(t *testing.T) {
	ca := kafkatest.NewCA(t)
	cluster := kafkatest.Fake(t, kfake.TLS(serverTLS(t, ca)), kfake.SeedTopics(1, "orders"))
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), "orders")
	other, pem := read(t, kafkatest.NewCA(t).File), read(t, ca.File)
	trust(&target, other, "")
	h.set(key, target)
	if f := h.facts(key, "a refusal", func(f Facts) bool { return f.Err != nil }); !kafka.Refused(f.Err) {
		t.Errorf("another authority: got %v", f.Err)
	}
	trust(&target, pem, "localhost")
	h.set(key, target)
	h.good(key)
}

func TestInvalidTarget(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	h := start(t)
	key := named("a")
	target := targetOf(cluster.Addrs(), "orders")
	trust(&target, []byte("no certificate"), "")
	for range 2 {
		err := h.Set(key, target)
		if err == nil || !errors.Is(h.Facts(key).Err, err) {
			t.Errorf("Set: %v, facts: %+v", err, h.Facts(key))
		}
	}
	if d := h.DeleteGroup(key, target); d.Err == nil || d.Done {
		t.Errorf("DeleteGroup: got %+v", d)
	}
	if got := h.connected(); got != 0 {
		t.Errorf("%d sets of connections", got)
	}
	target.Cluster.TLS = nil
	h.set(key, target)
	h.good(key)
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestSetBeforeStart checks that targets may be set and forgotten before Start.
func TestSetBeforeStart(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	w := New(Options{Interval: time.Hour})
	for _, name := range []string{"a", "b"} {
		if err := w.Set(named(name), targetOf(cluster.Addrs(), "orders")); err != nil {
			t.Fatal(err)
		}
	}
	w.Forget(named("a"))
	w.Forget(named("b"))
	if got := w.connected(); got != 0 {
		t.Errorf("%d sets of connections", got)
	}
}
