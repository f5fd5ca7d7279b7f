package admin

import (
	"context"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// TopicOffsets are offsets of a topic's partitions, by their number.
type TopicOffsets struct {
	Offsets []int64
	// Err: at least one of the offsets can't be had.
	Err error
}

// ListOffsets returns an offset of each partition of the topics, whose leaders
// are as Topics returned them: one request for each leader, all leaders at the
// same time. All topics are in the result.
func (a *Admin) ListOffsets(
	ctx context.Context, leaders map[string][]int32, at kafka.OffsetSpec, isolation config.IsolationLevel,
) map[string]TopicOffsets {
	found := make(map[string]TopicOffsets, len(leaders))
	byLeader := make(map[int32]kafka.OffsetsRequest)
	for topic, ids := range leaders {
		offsets := TopicOffsets{Offsets: unknownOffsets(len(ids))}
		for partition, leader := range ids {
			if leader < 0 {
				offsets.fail(fmt.Errorf("topic %q: partition %d: %w", topic, partition, kafkago.LeaderNotAvailable))
				continue
			}
			if byLeader[leader] == nil {
				byLeader[leader] = make(kafka.OffsetsRequest)
			}
			byLeader[leader].Add(topic, int32(partition), -1, at)
		}
		found[topic] = offsets
	}
	for answer := range a.c.AskOffsets(ctx, byLeader, isolation) {
		offsets := found[answer.Topic]
		if answer.Err != nil {
			offsets.fail(answer.Err)
		} else {
			offsets.Offsets[answer.Partition] = answer.Offset
		}
		found[answer.Topic] = offsets
	}
	return found
}

// fail keeps the first error of a topic.
func (o *TopicOffsets) fail(err error) {
	if o.Err == nil {
		o.Err = fmt.Errorf("list offsets: %w", err)
	}
}

// unknownOffset stands where the answer is awaited.
const unknownOffset = -1

func unknownOffsets(n int) []int64 {
	offsets := make([]int64, n)
	for i := range offsets {
		offsets[i] = unknownOffset
	}
	return offsets
}
