package kafka

import (
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestPartitions(t *testing.T) {
	broker := kafkatest.Shared(t)
	broker.CreateTopic("partitions", 5, nil)
	c := clientOf(t, broker.Addrs()...)
	if got, err := c.Partitions(testContext(t), "partitions"); err != nil || got != 5 {
		t.Errorf("got %d, %v, want 5", got, err)
	}
	_, err := c.Partitions(testContext(t), "partitions-missing")
	expectError(t, err, ErrTopicNotFound, `"partitions-missing"`, "create it, or correct its name")
	if got := broker.Partitions("partitions-missing"); got != 0 {
		t.Errorf("asking created the topic with %d partitions", got)
	}
}

// TestAwaitPartitionsLooksAgain: brokers learn of a new topic one after another.
func TestAwaitPartitionsLooksAgain(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(3, "new"))
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "new", Err: kerr.UnknownTopicOrPartition, Count: 3})
	c := clientOf(t, cluster.Addrs()...)
	if got, err := c.AwaitPartitions(testContext(t), "new"); err != nil || got != 3 {
		t.Errorf("got %d, %v, want 3", got, err)
	}
	start := time.Now()
	_, err := c.AwaitPartitions(testContext(t), "missing")
	expectError(t, err, ErrTopicNotFound, `"missing"`)
	if took := time.Since(start); took < topicPatience/2 || took > 3*topicPatience {
		t.Errorf("looked for %v, want about %v", took, topicPatience)
	}
}

func TestCreateTopic(t *testing.T) {
	broker := kafkatest.Shared(t)
	c := clientOf(t, broker.Addrs()...)
	ctx := testContext(t)
	for range 2 { // the second time it exists
		if err := c.CreateTopic(ctx, "created", 4, 1); err != nil {
			t.Fatalf("CreateTopic: %v", err)
		}
		if got, err := c.Partitions(ctx, "created"); err != nil || got != 4 {
			t.Fatalf("got %d partitions, %v, want 4", got, err)
		}
	}
	if err := c.CreateTopic(ctx, "created-by-default", 0, 0); err != nil {
		t.Errorf("with the cluster's defaults: %v", err)
	}
	expectError(t, c.CreateTopic(ctx, "too-many-replicas", 1, 3), kafkago.InvalidReplicationFactor,
		`"too-many-replicas"`, "can't keep 3 replicas", "lower the replication factor")
	expectError(t, c.CreateTopic(ctx, "no/name", 1, 1), kafkago.InvalidTopic, `"no/name"`, "not a valid name")
}

// A user who may not create topics can use an existing one.
func TestTopicThatIsThereIsNotCreated(t *testing.T) {
	cluster := kafkatest.Fake(t)
	cluster.CreateTopic("created", 2, nil)
	asked := cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.ClusterAuthorizationFailed, Count: -1,
	})
	c := clientOf(t, cluster.Addrs()...)
	if err := c.CreateTopic(testContext(t), "created", 2, 1); err != nil || asked.Hits() > 0 {
		t.Errorf("CreateTopic: %v, after %d requests", err, asked.Hits())
	}
	expectError(t, c.CreateTopic(testContext(t), "missing", 2, 1), ErrNotAuthorized, `"missing"`, "operation Create")
}

func TestCreateTopicRetriesAndWaits(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3))
	c := clientOf(t, cluster.Addrs()...)
	moved := cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "created", Err: kerr.NotController, Count: 2,
	})
	// Its metadata comes later.
	unseen := cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Topic: "created", Err: kerr.UnknownTopicOrPartition, Count: 2,
	})
	if err := c.CreateTopic(testContext(t), "created", 2, 1); err != nil {
		t.Fatalf("CreateTopic: %v", err)
	}
	if moved.Hits() != 2 || unseen.Hits() != 2 {
		t.Errorf("met %d and %d faults, want 2 and 2", moved.Hits(), unseen.Hits())
	}
	expectLeader(t, c, "created", 1, cluster.Faults.LeaderFor("created", 1))
}
