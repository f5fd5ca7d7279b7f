package kafkatest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CommitOffsets commits offsets of a topic's partitions for a group without members.
func (c *Cluster) CommitOffsets(group, topic string, offsets map[int32]int64) {
	c.tb.Helper()
	committed := make(map[int32]Committed, len(offsets))
	for partition, offset := range offsets {
		committed[partition] = Committed{Offset: offset, LeaderEpoch: -1}
	}
	c.Commit(group, topic, committed)
}

// Commit commits offsets with leader epochs and metadata for a group without members, for
// example those that GroupOffsets has returned.
func (c *Cluster) Commit(group, topic string, offsets map[int32]Committed) {
	c.tb.Helper()
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = topic, c.describe(topic).TopicID
	for partition, offset := range offsets {
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = partition, offset.Offset, offset.LeaderEpoch, &offset.Metadata
		t.Partitions = append(t.Partitions, p)
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	req.Topics = append(req.Topics, t)
	for _, topic := range request[*kmsg.OffsetCommitResponse](c, req).Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				c.tb.Fatalf("commit offset of topic %q, partition %d: %v", topic.Topic, p.Partition, err)
			}
		}
	}
}
