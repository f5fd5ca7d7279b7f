package kafka

import (
	"context"
	"fmt"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
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
	ctx context.Context, leaders map[string][]int32, at OffsetSpec, isolation config.IsolationLevel,
) map[string]TopicOffsets {
	l := &listing{topics: make(map[string]TopicOffsets, len(leaders))}
	requests := make(map[int32]*listoffsets.Request)
	for topic, ids := range leaders {
		l.topics[topic] = TopicOffsets{Offsets: unknownOffsets(len(ids))}
		for partition, leader := range ids {
			if leader < 0 {
				l.fail(topic, fmt.Errorf("partition %d: %w", partition, kafkago.LeaderNotAvailable))
				continue
			}
			addOffset(requests, leader, topic, int32(partition), at)
		}
	}
	var questions sync.WaitGroup
	for leader, req := range requests {
		if isolation == config.ReadCommitted {
			req.IsolationLevel = 1
		}
		questions.Go(func() { l.ask(ctx, a.c, leader, req) })
	}
	questions.Wait()
	l.complete()
	return l.topics
}

// addOffset needs a topic's partitions to come one after another.
func addOffset(requests map[int32]*listoffsets.Request, leader int32, topic string, partition int32, at OffsetSpec) {
	req := requests[leader]
	if req == nil {
		req = &listoffsets.Request{ReplicaID: -1}
		requests[leader] = req
	}
	last := len(req.Topics) - 1
	if last < 0 || req.Topics[last].Topic != topic {
		req.Topics = append(req.Topics, listoffsets.RequestTopic{Topic: topic})
		last++
	}
	req.Topics[last].Partitions = append(req.Topics[last].Partitions, listoffsets.RequestPartition{
		Partition: partition, CurrentLeaderEpoch: -1, Timestamp: int64(at),
	})
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

// listing collects the leaders' answers.
type listing struct {
	mu     sync.Mutex
	topics map[string]TopicOffsets // guarded by mu
}

func (l *listing) ask(ctx context.Context, c *Client, leader int32, req *listoffsets.Request) {
	answer, err := c.Ask(ctx, leader, req)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		for _, t := range req.Topics {
			l.fail(t.Topic, fmt.Errorf("broker %d: %w", leader, err))
		}
		return
	}
	for _, t := range answer.(*listoffsets.Response).Topics {
		for _, p := range t.Partitions {
			l.take(t.Topic, p)
		}
	}
}

// take needs mu.
func (l *listing) take(topic string, p listoffsets.ResponsePartition) {
	known, asked := l.topics[topic]
	if !asked || p.Partition < 0 || int(p.Partition) >= len(known.Offsets) {
		return
	}
	if err := wire.ErrorOf(p.ErrorCode); err != nil {
		l.fail(topic, fmt.Errorf("partition %d: %w", p.Partition, err))
		return
	}
	known.Offsets[p.Partition] = p.Offset
}

// fail keeps the first error of a topic. Needs mu once questions are under way.
func (l *listing) fail(topic string, err error) {
	known := l.topics[topic]
	if known.Err != nil {
		return
	}
	if StaleLeader(err) {
		// Whether the topic exists is for the metadata to say.
		known.Err = fmt.Errorf("list offsets: topic %q: %w", topic, err)
	} else {
		known.Err = fmt.Errorf("list offsets: %w", TopicError(topic, "Describe", err))
	}
	l.topics[topic] = known
}

// complete notices what no leader has answered.
func (l *listing) complete() {
	for topic, known := range l.topics {
		for partition, offset := range known.Offsets {
			if offset == unknownOffset {
				l.fail(topic, fmt.Errorf("partition %d: the broker's answer does not contain it", partition))
			}
		}
	}
}
