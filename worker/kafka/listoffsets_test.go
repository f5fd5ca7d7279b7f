package kafka

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func expectOffsets(t *testing.T, c *Client, topic string, at OffsetSpec, isolation config.IsolationLevel, want map[int32]int64) {
	t.Helper()
	partitions := make([]int32, 0, len(want))
	for partition := range want {
		partitions = append(partitions, partition)
	}
	got, err := c.ListOffsets(testContext(t), topic, partitions, at, isolation)
	if err != nil {
		t.Fatalf("ListOffsets: %v", err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("offsets %d under %s: got %v, want %v", at, isolation, got, want)
	}
}

func TestListOffsets(t *testing.T) {
	broker := kafkatest.Shared(t)
	const topic = "list-offsets"
	broker.CreateTopic(topic, 3, nil)
	value := []byte("v")
	broker.Produce(&kgo.Record{Topic: topic, Value: value}, &kgo.Record{Topic: topic, Value: value},
		&kgo.Record{Topic: topic, Partition: 2, Value: value})
	txn := broker.Begin("list-offsets")
	txn.Produce(&kgo.Record{Topic: topic, Partition: 2, Value: value})
	c := clientOf(t, broker.Addrs()...)

	expectOffsets(t, c, topic, Earliest, config.ReadCommitted, map[int32]int64{0: 0, 1: 0, 2: 0})
	expectOffsets(t, c, topic, Latest, config.ReadUncommitted, map[int32]int64{0: 2, 1: 0, 2: 2})
	expectOffsets(t, c, topic, Latest, config.ReadCommitted, map[int32]int64{0: 2, 1: 0, 2: 1})
	expectOffsets(t, c, topic, Latest, config.ReadCommitted, map[int32]int64{0: 2})
	expectOffsets(t, c, topic, Latest, config.ReadCommitted, map[int32]int64{})

	txn.Abort() // its marker takes an offset
	broker.Eventually("the transaction has ended", func() bool {
		return broker.EndOffsets(topic, kgo.ReadCommitted())[2] == 3
	})
	expectOffsets(t, c, topic, Latest, config.ReadCommitted, map[int32]int64{2: 3})
}

func TestListOffsetsErrors(t *testing.T) {
	broker := kafkatest.Shared(t)
	broker.CreateTopic("list-offsets-errors", 1, nil)
	c := clientOf(t, broker.Addrs()...)
	_, err := c.ListOffsets(testContext(t), "list-offsets-missing", []int32{0}, Latest, config.ReadCommitted)
	expectError(t, err, ErrTopicNotFound, `"list-offsets-missing"`)

	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err = c.ListOffsets(ctx, "list-offsets-errors", []int32{0, 1}, Latest, config.ReadCommitted)
	expectError(t, err, kafkago.UnknownTopicOrPartition, "partition 1", "which has 1 partitions")
}

func TestListOffsetsFollowsMovingLeaders(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"))
	c := clientOf(t, cluster.Addrs()...)
	all := map[int32]int64{0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0}
	expectOffsets(t, c, "orders", Latest, config.ReadCommitted, all)
	cluster.Faults.ShufflePartitionLeaders()
	expectOffsets(t, c, "orders", Latest, config.ReadCommitted, all)

	faults := cluster.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{1}, Err: kerr.NotLeaderForPartition, Count: 2},
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{2}, Err: kerr.UnknownTopicOrPartition},
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{4}, Err: kerr.OffsetNotAvailable},
	)
	expectOffsets(t, c, "orders", Latest, config.ReadCommitted, all)
	if got := faults.Hits(); got < 3 {
		t.Errorf("met %d faults, want at least 3", got)
	}
}

func TestListOffsetsNotAuthorized(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	c := clientOf(t, cluster.Addrs()...)
	cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Err: kerr.TopicAuthorizationFailed, Count: -1,
	})
	_, err := c.ListOffsets(testContext(t), "orders", []int32{0}, Latest, config.ReadCommitted)
	expectError(t, err, ErrNotAuthorized, `"orders"`, "partition 0", "Describe")
}
