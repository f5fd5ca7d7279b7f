package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// OffsetSpec selects an offset of a partition, in the protocol's encoding.
type OffsetSpec int64

// The offsets that a leader can look up.
const (
	// Earliest is the first offset that is still in the log.
	Earliest OffsetSpec = -2
	// Latest is the end: the offset of the next record. Under ReadCommitted
	// it is the last stable offset: where the oldest open transaction starts.
	Latest OffsetSpec = -1
)

// PartitionOffset is the offset of one partition, or the reason why there is none.
type PartitionOffset struct {
	Offset int64
	Err    error
}

// ListOffsets returns an offset for each of the given partitions. It waits some time for
// leaders that are moving, and fails if one offset is still missing.
func (c *Client) ListOffsets(
	ctx context.Context, topic string, partitions []int32, at OffsetSpec, isolation config.IsolationLevel,
) (map[int32]int64, error) {
	offsets := make(map[int32]int64, len(partitions))
	err := c.Retry(ctx, func(ctx context.Context) error {
		missing := slices.DeleteFunc(slices.Clone(partitions), func(p int32) bool { _, ok := offsets[p]; return ok })
		var failed error
		for partition, answer := range c.PartitionOffsets(ctx, topic, missing, at, isolation) {
			switch {
			case answer.Err == nil:
				offsets[partition] = answer.Offset
			case failed == nil || !Retriable(answer.Err):
				failed = answer.Err
			}
		}
		return failed
	})
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	return offsets, nil
}

// PartitionOffsets returns an offset or an error for each of the given partitions, so
// that one failure does not hide the others. It asks all leaders at the same time and
// does not wait for elections. It looks up a wrong leader again once.
func (c *Client) PartitionOffsets(
	ctx context.Context, topic string, partitions []int32, at OffsetSpec, isolation config.IsolationLevel,
) map[int32]PartitionOffset {
	r := offsetReader{client: c, isolation: isolation}
	found := r.askLeaders(ctx, topic, partitions, at)
	var moved []int32
	for partition, answer := range found {
		if StaleLeader(answer.Err) && !errors.Is(answer.Err, kafkago.LeaderNotAvailable) {
			moved = append(moved, partition)
		}
	}
	if len(moved) > 0 {
		maps.Copy(found, r.askLeaders(ctx, topic, moved, at))
	}
	return found
}

// offsetReader asks leaders for offsets of their partitions.
type offsetReader struct {
	client    *Client
	isolation config.IsolationLevel
}

// askLeaders asks the leaders of all partitions once.
func (r offsetReader) askLeaders(ctx context.Context, topic string, partitions []int32, at OffsetSpec) map[int32]PartitionOffset {
	found := make(map[int32]PartitionOffset, len(partitions))
	byLeader := make(map[int32]OffsetsRequest)
	for partition, l := range r.client.LeadersOf(ctx, topic, partitions) {
		if l.Err != nil {
			found[partition] = PartitionOffset{Err: l.Err}
			continue
		}
		if byLeader[l.Broker] == nil {
			byLeader[l.Broker] = make(OffsetsRequest)
		}
		byLeader[l.Broker].Add(topic, partition, l.Epoch, at)
	}
	for answer := range r.client.AskOffsets(ctx, byLeader, r.isolation) {
		found[answer.Partition] = answer.PartitionOffset
	}
	return found
}

// topicPartition names a partition.
type topicPartition struct {
	topic     string
	partition int32
}

// OffsetsRequest asks one leader for offsets of its partitions, by topic.
type OffsetsRequest map[string][]listoffsets.RequestPartition

// Add adds a partition. epoch is that of the leader that is asked; -1 is unknown.
func (r OffsetsRequest) Add(topic string, partition, epoch int32, at OffsetSpec) {
	r[topic] = append(r[topic], listoffsets.RequestPartition{
		Partition: partition, CurrentLeaderEpoch: epoch, Timestamp: int64(at),
	})
}

// OffsetAnswer is a leader's answer about one partition.
type OffsetAnswer struct {
	Topic     string
	Partition int32
	PartitionOffset
}

// AskOffsets asks all leaders at the same time. It yields an answer, or an error, for each
// partition, once all leaders have answered.
func (c *Client) AskOffsets(ctx context.Context, byLeader map[int32]OffsetsRequest, isolation config.IsolationLevel) iter.Seq[OffsetAnswer] {
	r := offsetReader{client: c, isolation: isolation}
	var mu sync.Mutex
	var all []OffsetAnswer // guarded by mu
	var questions sync.WaitGroup
	for leader, asked := range byLeader {
		questions.Go(func() {
			answers := r.askOne(ctx, leader, asked)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, answers...)
		})
	}
	questions.Wait()
	return slices.Values(all)
}

// askOne asks one leader about its partitions.
func (r offsetReader) askOne(ctx context.Context, leader int32, asked OffsetsRequest) (answers []OffsetAnswer) {
	req := &listoffsets.Request{ReplicaID: -1}
	if r.isolation == config.ReadCommitted {
		req.IsolationLevel = 1
	}
	for topic, partitions := range asked {
		req.Topics = append(req.Topics, listoffsets.RequestTopic{Topic: topic, Partitions: partitions})
	}
	res, err := r.client.Ask(ctx, leader, req)
	if err != nil {
		err = fmt.Errorf("broker %d: %w", leader, err)
	}
	var answered map[topicPartition]PartitionOffset
	if err == nil {
		answered = r.read(res.(*listoffsets.Response))
	}
	for topic, partitions := range asked {
		if err != nil {
			r.client.ForgetLeaders(topic)
		}
		for _, p := range partitions {
			found, ok := answered[topicPartition{topic, p.Partition}]
			switch {
			case err != nil:
				found.Err = fmt.Errorf("topic %q, partition %d: %w", topic, p.Partition, err)
			case !ok:
				found.Err = fmt.Errorf("topic %q, partition %d: %w", topic, p.Partition, wire.ErrOmitted)
			}
			answers = append(answers, OffsetAnswer{topic, p.Partition, found})
		}
	}
	return answers
}

// read returns the offsets of a response.
func (r offsetReader) read(res *listoffsets.Response) map[topicPartition]PartitionOffset {
	found := make(map[topicPartition]PartitionOffset)
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			answer := PartitionOffset{Offset: p.Offset}
			if err := wire.ErrorOf(p.ErrorCode); err != nil {
				answer = PartitionOffset{Err: r.explain(t.Topic, p.Partition, err)}
			}
			found[topicPartition{t.Topic, p.Partition}] = answer
		}
	}
	return found
}

func (r offsetReader) explain(topic string, partition int32, err error) error {
	if StaleLeader(err) {
		// The metadata decides whether the topic exists.
		r.client.ForgetLeaders(topic)
		return fmt.Errorf("topic %q, partition %d: %w", topic, partition, err)
	}
	return fmt.Errorf("partition %d of %w", partition, TopicError(topic, "Describe", err))
}
