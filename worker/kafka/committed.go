package kafka

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// Committed is what a group has committed for a partition.
type Committed struct {
	Offset   int64 // -1 for nothing
	Metadata string
}

// Committed returns the group's offsets of partitions of the topic, whoever owns
// them; all that are asked for are in the result. While the coordinator is away
// it tries for half a minute or until ctx is done.
func (m *Member) Committed(ctx context.Context, partitions []int32) (map[int32]Committed, error) {
	var committed map[int32]Committed
	err := m.c.retry(ctx, func(ctx context.Context) (err error) {
		committed, err = m.fetchOffsets(ctx, partitions)
		return err
	})
	if err != nil {
		return nil, groupError(m.cfg.GroupID, fmt.Errorf("committed offsets of topic %q: %w", m.cfg.Topic, err))
	}
	return committed, nil
}

func (m *Member) fetchOffsets(ctx context.Context, partitions []int32) (map[int32]Committed, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout/3)
	defer cancel()
	stable, err := m.offersStableOffsets(ctx)
	if err != nil {
		return nil, err
	}
	req := &offsetfetch.Request{
		GroupID: m.cfg.GroupID,
		Topics:  []offsetfetch.RequestTopic{{Name: m.cfg.Topic, PartitionIndexes: partitions}},
	}
	var message protocol.Message = req
	if stable {
		message = (*stableOffsetFetch)(req)
	}
	answer, err := m.askGroup(ctx, message)
	if err != nil {
		return nil, err
	}
	res := answer.(*offsetfetch.Response)
	if err := errorOf(res.ErrorCode); err != nil {
		m.moved(err)
		return nil, err
	}
	committed := make(map[int32]Committed, len(partitions))
	for _, p := range partitions {
		committed[p] = Committed{Offset: -1}
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if err := errorOf(p.ErrorCode); err != nil {
				m.moved(err)
				return nil, fmt.Errorf("partition %d: %w", p.PartitionIndex, err)
			}
			committed[p.PartitionIndex] = Committed{Offset: p.CommittedOffset, Metadata: p.Metadata}
		}
	}
	return committed, nil
}
