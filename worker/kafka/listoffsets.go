package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/millrace-dev/millrace/worker/config"
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

// ListOffsets returns an offset for each of the given partitions. It fails as a
// whole when one of them can't be had, after waiting some time for leaders that
// are moving.
func (c *Client) ListOffsets(
	ctx context.Context, topic string, partitions []int32, at OffsetSpec, isolation config.IsolationLevel,
) (map[int32]int64, error) {
	offsets := make(map[int32]int64, len(partitions))
	err := c.retry(ctx, func(ctx context.Context) error {
		byLeader, err := c.groupByLeader(ctx, topic, partitions, offsets)
		if err != nil {
			return err
		}
		var failed error
		for leader, missing := range byLeader {
			failed = errors.Join(failed, c.askOffsets(ctx, leader, topic, missing, at, isolation, offsets))
		}
		return failed
	})
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	return offsets, nil
}

// groupByLeader returns the partitions that have no offset yet, by leader.
func (c *Client) groupByLeader(
	ctx context.Context, topic string, partitions []int32, have map[int32]int64,
) (map[int32]map[int32]bool, error) {
	byLeader := make(map[int32]map[int32]bool)
	for _, partition := range partitions {
		if _, ok := have[partition]; ok {
			continue
		}
		leader, err := c.leader(ctx, topic, partition)
		if err != nil {
			return nil, err
		}
		if byLeader[leader] == nil {
			byLeader[leader] = make(map[int32]bool)
		}
		byLeader[leader][partition] = true
	}
	return byLeader, nil
}

// askOffsets asks one leader and adds what it answers to offsets.
func (c *Client) askOffsets(
	ctx context.Context, leader int32, topic string, partitions map[int32]bool,
	at OffsetSpec, isolation config.IsolationLevel, offsets map[int32]int64,
) error {
	req := &listoffsets.Request{ReplicaID: -1, Topics: []listoffsets.RequestTopic{{Topic: topic}}}
	if isolation == config.ReadCommitted {
		req.IsolationLevel = 1
	}
	for partition := range partitions {
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, listoffsets.RequestPartition{
			Partition: partition, CurrentLeaderEpoch: -1, Timestamp: int64(at),
		})
	}
	res, err := c.ask(ctx, leader, req)
	if err != nil {
		c.forgetLeaders(topic)
		return fmt.Errorf("topic %q: broker %d: %w", topic, leader, err)
	}
	return c.takeOffsets(topic, partitions, res.(*listoffsets.Response), offsets)
}

func (c *Client) takeOffsets(
	topic string, asked map[int32]bool, res *listoffsets.Response, offsets map[int32]int64,
) error {
	var failed error
	for _, answered := range res.Topics {
		for _, p := range answered.Partitions {
			delete(asked, p.Partition)
			err := errorOf(p.ErrorCode)
			switch {
			case err == nil:
				offsets[p.Partition] = p.Offset
			case staleLeader(err):
				// Whether the topic exists is for the metadata to say.
				c.forgetLeaders(topic)
				failed = fmt.Errorf("topic %q, partition %d: %w", topic, p.Partition, err)
			default:
				failed = fmt.Errorf("partition %d of %w", p.Partition, topicError(topic, "Describe", err))
			}
		}
	}
	for partition := range asked {
		failed = fmt.Errorf("topic %q, partition %d: the broker's answer does not contain it", topic, partition)
	}
	return failed
}
