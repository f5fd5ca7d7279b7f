package kafkatest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// LimitOffsetMetadata makes the cluster refuse commits of a topic's partitions with
// metadata longer than limit bytes, each partition by itself. Apache Kafka does the same
// if its offset.metadata.max.bytes is the limit.
func (c *FakeCluster) LimitOffsetMetadata(topic string, limit int) {
	c.tb.Helper()
	for partition := range c.Partitions(topic) {
		c.Faults.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: topic, Partitions: []int32{partition},
			Err: kerr.OffsetMetadataTooLarge, Count: -1,
			When: func(req kmsg.Request) bool { return metadataLen(req, topic, partition) > limit },
		})
	}
}

// metadataLen returns the length of the metadata that a request commits for a
// partition.
func metadataLen(req kmsg.Request, topic string, partition int32) int {
	for _, t := range req.(*kmsg.OffsetCommitRequest).Topics {
		for _, p := range t.Partitions {
			if t.Topic == topic && p.Partition == partition && p.Metadata != nil {
				return len(*p.Metadata)
			}
		}
	}
	return 0
}
