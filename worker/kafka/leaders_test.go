package kafka

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// countMetadata counts the metadata requests about a topic.
func countMetadata(cluster *kafkatest.FakeCluster, topic string) *kfake.FaultHandle {
	return cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Count: -1, Observe: true,
	})
}

func expectLeader(t *testing.T, c *Client, topic string, partition, want int32) {
	t.Helper()
	got, err := c.leaders.leader(testContext(t), topic, partition)
	if err != nil || got != want {
		t.Fatalf("leader of partition %d: got %d, %v, want %d", partition, got, err, want)
	}
}

func TestLeaderIsAskedOnceAndForgotten(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"))
	asked := countMetadata(cluster, "orders")
	c := clientOf(t, cluster.Addrs()...)
	for range 3 {
		for partition := range int32(6) {
			expectLeader(t, c, "orders", partition, cluster.Faults.LeaderFor("orders", partition))
		}
	}
	if got := asked.Hits(); got != 1 {
		t.Errorf("got %d questions, want 1", got)
	}
	old := cluster.Faults.LeaderFor("orders", 2)
	moved := (old + 1) % 3
	if err := cluster.Faults.MoveTopicPartition("orders", 2, moved); err != nil {
		t.Fatal(err)
	}
	expectLeader(t, c, "orders", 2, old)
	c.ForgetLeaders("orders")
	expectLeader(t, c, "orders", 2, moved)
}

func TestForgettingIsRateLimited(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	asked := countMetadata(cluster, "orders")
	c := clientOf(t, cluster.Addrs()...)
	start := time.Now()
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 10 {
				c.ForgetLeaders("orders")
				expectLeader(t, c, "orders", 0, 0)
			}
		})
	}
	callers.Wait()
	limit := 2 + int(time.Since(start)/leaderRefreshInterval)
	if got := asked.Hits(); got > limit {
		t.Errorf("got %d questions in %v, want at most %d", got, time.Since(start), limit)
	}
}

func TestLeaderErrors(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(2, "orders"))
	c := clientOf(t, cluster.Addrs()...)
	_, err := c.leaders.leader(testContext(t), "missing", 0)
	expectError(t, err, ErrTopicNotFound, `"missing"`)
	_, err = c.leaders.leader(testContext(t), "orders", 2)
	expectError(t, err, kafkago.UnknownTopicOrPartition, "partition 2", "which has 2 partitions")

	cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Topic: "orders", Err: kerr.TopicAuthorizationFailed,
	})
	c.ForgetLeaders("orders")
	_, err = c.leaders.leader(testContext(t), "orders", 0)
	expectError(t, err, ErrNotAuthorized, `"orders"`, "Describe")
	expectLeader(t, c, "orders", 0, 0)
}

func TestLeaderGivesUpWithItsCaller(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	c := clientOf(t, cluster.Addrs()...)
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	cluster.Faults.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.SleepControl(func() { <-release })
		return nil, nil, false
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.leaders.leader(ctx, "orders", 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	// The question it asked is answered all the same.
	close(release)
	expectLeader(t, c, "orders", 0, 0)
}

// A broker that joins after the transport made its picture of the cluster must
// be usable at once, not when the picture is next renewed.
func TestNewBrokerIsUsableAtOnce(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	c := clientOf(t, cluster.Addrs()...)
	expectLeader(t, c, "orders", 0, 0)
	id, _, err := cluster.Faults.AddNode(7, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Faults.MoveTopicPartition("orders", 0, id); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := c.ListOffsets(testContext(t), "orders", []int32{0}, Latest, ""); err != nil {
		t.Fatalf("ListOffsets: %v", err)
	}
	if took := time.Since(start); took > layoutTTL/4 {
		t.Errorf("took %v", took)
	}
	expectLeader(t, c, "orders", 0, id)
}

// Somebody who knows the new broker's id from elsewhere (a coordinator's answer,
// say) needs no metadata of this package for it to work.
func TestUnknownBrokerIsLookedUp(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	c := clientOf(t, cluster.Addrs()...)
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	id, _, err := cluster.Faults.AddNode(7, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(testContext(t), id, &metadata.Request{TopicNames: []string{}}); err != nil {
		t.Errorf("ask broker %d: %v", id, err)
	}
	if _, err := c.Ask(testContext(t), 99, &metadata.Request{TopicNames: []string{}}); !errors.Is(err, kafkago.BrokerNotAvailable) {
		t.Errorf("ask a broker that does not exist: got %v, want %v", err, kafkago.BrokerNotAvailable)
	}
}

// A broker that comes back under its id with another address must be found
// there.
func TestMovedBrokerIsUsableAtOnce(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(2, "orders"))
	for partition := range int32(2) {
		if err := cluster.Faults.MoveTopicPartition("orders", partition, 1); err != nil {
			t.Fatal(err)
		}
	}
	c := clientOf(t, cluster.Addrs()[0])
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Faults.RemoveNode(1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := cluster.Faults.AddNode(1, 0); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Faults.MoveTopicPartition("orders", 0, 1); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := c.ListOffsets(testContext(t), "orders", []int32{0}, Latest, ""); err != nil {
		t.Fatalf("ListOffsets: %v", err)
	}
	if took := time.Since(start); took > layoutTTL/4 {
		t.Errorf("took %v", took)
	}
}
