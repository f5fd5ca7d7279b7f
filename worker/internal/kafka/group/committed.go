package group

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Committed is the offset that a group has committed for a partition.
type Committed struct {
	Offset int64 // -1 for nothing
	// LeaderEpoch is the leader epoch of the last record below Offset; -1 is
	// unknown.
	LeaderEpoch int32
	Metadata    string
	// Err is set if this partition's offset is not known. It concerns no other
	// partition. It is an ErrUnstable while a transaction is about to replace the offset.
	Err error
}

// ErrUnstable says that a transaction is about to replace a committed offset. That mostly
// takes milliseconds, and at most as long as the transaction's timeout.
var ErrUnstable = errors.New("a transaction is about to replace the committed offset")

// Committed returns the group's offsets of partitions of the topic, of whatever
// owner; the result has an entry for each. While the coordinator is away it tries for
// half a minute or until ctx is done.
func (m *Member) Committed(ctx context.Context, partitions []int32) (map[int32]Committed, error) {
	var committed map[int32]Committed
	err := m.group.client.Retry(ctx, func(ctx context.Context) (err error) {
		committed, err = m.group.fetchOffsets(ctx, m.cfg.Topic, partitions)
		return err
	})
	if err != nil {
		return nil, kafka.GroupError(m.cfg.GroupID, fmt.Errorf("committed offsets of topic %q: %w", m.cfg.Topic, err))
	}
	return committed, nil
}

// fetchOffsets asks the coordinator once.
func (g *coordinator) fetchOffsets(ctx context.Context, topic string, partitions []int32) (map[int32]Committed, error) {
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	stable, err := g.offersStableOffsets(ctx)
	if err != nil {
		return nil, err
	}
	req := &offsetfetch.Request{
		GroupID: g.groupID,
		Topics:  []offsetfetch.RequestTopic{{Name: topic, PartitionIndexes: partitions}},
	}
	var message protocol.Message = req
	if stable {
		message = (*stableOffsetFetch)(req)
	}
	answer, err := g.ask(ctx, message)
	if err != nil {
		return nil, err
	}
	res := answer.(*offsetfetch.Response)
	if err := wire.ErrorOf(res.ErrorCode); err != nil {
		g.noteError(err)
		return nil, err
	}
	committed := make(map[int32]Committed, len(partitions))
	for _, p := range partitions {
		committed[p] = Committed{Offset: -1, LeaderEpoch: -1}
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			c := Committed{Offset: p.CommittedOffset, LeaderEpoch: p.ComittedLeaderEpoch, Metadata: p.Metadata}
			if err := wire.ErrorOf(p.ErrorCode); kafka.MovedGroup(err) {
				g.noteError(err)
				return nil, fmt.Errorf("partition %d: %w", p.PartitionIndex, err)
			} else if err != nil {
				c = Committed{Offset: -1, LeaderEpoch: -1, Err: g.offsetError(topic, p.PartitionIndex, err)}
			}
			if req.Topics[0].Name == t.Name {
				committed[p.PartitionIndex] = c
			}
		}
	}
	return committed, nil
}

func (g *coordinator) offsetError(topic string, partition int32, err error) error {
	if errors.Is(err, kafkago.UnstableOffsetCommit) {
		err = fmt.Errorf("%w (%w)", ErrUnstable, err)
	}
	return kafka.GroupError(g.groupID, fmt.Errorf("committed offset of partition %d of %w", partition, kafka.TopicError(topic, "Read", err)))
}
