package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// OffsetSpec says which offset of a partition is asked for, as the protocol
// encodes it.
type OffsetSpec int64

// The offsets that can be asked for.
const (
	// Earliest is the first offset that is still in the log.
	Earliest OffsetSpec = -2
	// Latest is the end: the offset of the next record. Under ReadCommitted
	// it is the last stable offset: where the oldest open transaction starts.
	Latest OffsetSpec = -1
)

// PartitionOffset is the offset of one partition that was asked for, or why it
// can't be had.
type PartitionOffset struct {
	Offset int64
	Err    error
}

// ListOffsets returns an offset for each of the given partitions. It fails as a
// whole when one of them can't be had, after waiting some time for leaders that
// are moving.
func (c *Client) ListOffsets(
	ctx context.Context, topic string, partitions []int32, at OffsetSpec, isolation config.IsolationLevel,
) (map[int32]int64, error) {
	offsets := make(map[int32]int64, len(partitions))
	err := c.retry(ctx, func(ctx context.Context) error {
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
// that one that fails does not hide the others. It asks all leaders at the same time
// and does not wait for elections; a remembered leader that is wrong is looked up
// again once.
func (c *Client) PartitionOffsets(
	ctx context.Context, topic string, partitions []int32, at OffsetSpec, isolation config.IsolationLevel,
) map[int32]PartitionOffset {
	found := c.askLeadersOffsets(ctx, topic, partitions, at, isolation)
	var moved []int32
	for partition, answer := range found {
		if StaleLeader(answer.Err) && !errors.Is(answer.Err, kafkago.LeaderNotAvailable) {
			moved = append(moved, partition)
		}
	}
	if len(moved) > 0 {
		maps.Copy(found, c.askLeadersOffsets(ctx, topic, moved, at, isolation))
	}
	return found
}

func (c *Client) askLeadersOffsets(
	ctx context.Context, topic string, partitions []int32, at OffsetSpec, isolation config.IsolationLevel,
) map[int32]PartitionOffset {
	found := make(map[int32]PartitionOffset, len(partitions))
	byLeader := make(map[int32][]listoffsets.RequestPartition)
	for partition, l := range c.LeadersOf(ctx, topic, partitions) {
		if l.Err != nil {
			found[partition] = PartitionOffset{Err: l.Err}
			continue
		}
		byLeader[l.Broker] = append(byLeader[l.Broker], listoffsets.RequestPartition{
			Partition: partition, CurrentLeaderEpoch: l.Epoch, Timestamp: int64(at),
		})
	}
	var mu sync.Mutex // guards found
	var questions sync.WaitGroup
	for leader, asked := range byLeader {
		questions.Go(func() {
			answers := c.askOffsets(ctx, leader, topic, asked, isolation)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(found, answers)
		})
	}
	questions.Wait()
	return found
}

// askOffsets asks one leader about its partitions.
func (c *Client) askOffsets(
	ctx context.Context, leader int32, topic string, partitions []listoffsets.RequestPartition, isolation config.IsolationLevel,
) map[int32]PartitionOffset {
	req := &listoffsets.Request{ReplicaID: -1, Topics: []listoffsets.RequestTopic{{Topic: topic, Partitions: partitions}}}
	if isolation == config.ReadCommitted {
		req.IsolationLevel = 1
	}
	found := make(map[int32]PartitionOffset, len(partitions))
	res, err := c.Ask(ctx, leader, req)
	if err != nil {
		c.forgetLeaders(topic)
		for _, p := range partitions {
			found[p.Partition] = PartitionOffset{Err: fmt.Errorf("topic %q, partition %d: broker %d: %w", topic, p.Partition, leader, err)}
		}
		return found
	}
	for _, p := range partitions {
		found[p.Partition] = PartitionOffset{Err: fmt.Errorf("topic %q, partition %d: %w", topic, p.Partition, errNotAnswered)}
	}
	c.takeOffsets(topic, res.(*listoffsets.Response), found)
	return found
}

// takeOffsets takes over what a leader answers about the partitions in found.
func (c *Client) takeOffsets(topic string, res *listoffsets.Response, found map[int32]PartitionOffset) {
	for _, answered := range res.Topics {
		for _, p := range answered.Partitions {
			if _, asked := found[p.Partition]; !asked {
				continue
			}
			err := wire.ErrorOf(p.ErrorCode)
			switch {
			case err == nil:
				found[p.Partition] = PartitionOffset{Offset: p.Offset}
				continue
			case StaleLeader(err):
				// Whether the topic exists is for the metadata to say.
				c.forgetLeaders(topic)
				err = fmt.Errorf("topic %q, partition %d: %w", topic, p.Partition, err)
			default:
				err = fmt.Errorf("partition %d of %w", p.Partition, TopicError(topic, "Describe", err))
			}
			found[p.Partition] = PartitionOffset{Err: err}
		}
	}
}
