package admin

import (
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Both are the first versions that take many groups at once; Kafka knows them
// since 3.0. kafka-go's layouts end before.
const (
	findCoordinatorsVersion = 4
	groupsOffsetsVersion    = 8
)

// findCoordinators asks for the coordinators of groups.
type findCoordinators struct{ groups []string }

// coordinatorsFound answers findCoordinators.
type coordinatorsFound struct{ found []coordinatorFound }

type coordinatorFound struct {
	group  string
	broker int32
	err    error
}

// groupsOffsets asks a coordinator for committed offsets.
type groupsOffsets struct{ groups []groupPartitions }

// groupsOffsetsAnswer answers groupsOffsets.
type groupsOffsetsAnswer struct{ groups []groupOffsets }

type groupPartitions struct {
	group  string
	topics []topicCount
}

// topicCount is a topic with the number of its partitions.
type topicCount struct {
	topic      string
	partitions int32
}

type groupOffsets struct {
	group  string
	code   int16
	topics []offsetfetch.ResponseTopic
}

var _, _ wire.Layout = (*findCoordinators)(nil), (*groupsOffsets)(nil)

// ApiKey implements protocol.Message.
func (*findCoordinators) ApiKey() protocol.ApiKey { return protocol.FindCoordinator }

// ApiKey implements protocol.Message.
func (*coordinatorsFound) ApiKey() protocol.ApiKey { return protocol.FindCoordinator }

// ApiKey implements protocol.Message.
func (*groupsOffsets) ApiKey() protocol.ApiKey { return protocol.OffsetFetch }

// ApiKey implements protocol.Message.
func (*groupsOffsetsAnswer) ApiKey() protocol.ApiKey { return protocol.OffsetFetch }

// AppendTo implements wire.Layout.
func (r *findCoordinators) AppendTo(b []byte, clientID string) []byte {
	b = wire.AppendFlexibleHeader(b, protocol.FindCoordinator, findCoordinatorsVersion, clientID)
	b = append(b, 0 /* of groups */)
	b = wire.AppendCompactCount(b, len(r.groups))
	for _, group := range r.groups {
		b = wire.AppendCompact(b, group)
	}
	return wire.Finish(append(b, wire.NoTags))
}

// AppendTo implements wire.Layout.
func (r *groupsOffsets) AppendTo(b []byte, clientID string) []byte {
	b = wire.AppendFlexibleHeader(b, protocol.OffsetFetch, groupsOffsetsVersion, clientID)
	b = wire.AppendCompactCount(b, len(r.groups))
	for _, g := range r.groups {
		b = wire.AppendCompact(b, g.group)
		b = wire.AppendCompactCount(b, len(g.topics))
		for _, t := range g.topics {
			b = wire.AppendCompact(b, t.topic)
			b = wire.AppendCompactCount(b, int(t.partitions))
			for p := range t.partitions {
				b = wire.AppendInt32(b, p)
			}
			b = append(b, wire.NoTags)
		}
		b = append(b, wire.NoTags)
	}
	return wire.Finish(append(b, 0 /* stable or not */, wire.NoTags))
}

// ReadAnswer implements wire.Layout.
func (*findCoordinators) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	r := wire.ReadFlexible(data)
	r.Int32() // throttle time
	res := &coordinatorsFound{}
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		found := coordinatorFound{group: string(r.Compact()), broker: r.Int32()}
		r.Compact() // host
		r.Int32()   // port
		if err := wire.ErrorOf(r.Int16()); err != nil {
			found.err = kafka.GroupError(found.group, err)
		}
		r.Compact() // message
		r.Tags()
		res.found = append(res.found, found)
	}
	r.Tags()
	if r.Err != nil {
		return nil, fmt.Errorf("coordinators: %w", r.Err)
	}
	return res, nil
}

// ReadAnswer implements wire.Layout.
func (*groupsOffsets) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	r := wire.ReadFlexible(data)
	r.Int32() // throttle time
	res := &groupsOffsetsAnswer{}
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		res.groups = append(res.groups, readGroupOffsets(r))
	}
	r.Tags()
	if r.Err != nil {
		return nil, fmt.Errorf("committed offsets: %w", r.Err)
	}
	return res, nil
}

// readGroupOffsets leaves the metadata out: it may be larger than all the rest.
func readGroupOffsets(r *wire.Reader) groupOffsets {
	g := groupOffsets{group: string(r.Compact())}
	for t := r.CompactCount(); t > 0 && r.Err == nil; t-- {
		topic := offsetfetch.ResponseTopic{Name: string(r.Compact())}
		for p := r.CompactCount(); p > 0 && r.Err == nil; p-- {
			partition := offsetfetch.ResponsePartition{PartitionIndex: r.Int32(), CommittedOffset: r.Int64()}
			r.Int32()   // leader epoch
			r.Compact() // metadata
			partition.ErrorCode = r.Int16()
			r.Tags()
			topic.Partitions = append(topic.Partitions, partition)
		}
		r.Tags()
		g.topics = append(g.topics, topic)
	}
	g.code = r.Int16()
	r.Tags()
	return g
}
