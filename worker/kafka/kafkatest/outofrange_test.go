package kafkatest

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestOutOfRange: a broker that refuses an offset does not name the ends of its log.
func TestOutOfRange(t *testing.T) {
	t.Run("fake", func(t *testing.T) { outOfRange(t, &Fake(t).Cluster) })
	t.Run("Apache", func(t *testing.T) { outOfRange(t, &Shared(t).Cluster) })
}

func outOfRange(t *testing.T, c *Cluster) {
	const topic = "kafkatest-out-of-range"
	c.CreateTopic(topic, 1, nil)
	c.Produce(record(topic, 0, "a"), record(topic, 0, "b"))
	asked := kmsg.NewFetchRequestTopic()
	asked.Topic, asked.TopicID = topic, c.describe(topic).TopicID
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes = 10, 1<<20
	asked.Partitions = append(asked.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.SessionEpoch, req.Topics = 1<<20, -1, append(req.Topics, asked)
	answer, err := c.Client().Request(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	got := answer.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if got.ErrorCode != kerr.OffsetOutOfRange.Code || got.LogStartOffset != -1 || got.HighWatermark != -1 {
		t.Errorf("got %+v, want OFFSET_OUT_OF_RANGE without offsets", got)
	}
}
