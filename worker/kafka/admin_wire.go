package kafka

import (
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
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
	code   int16
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

var _, _ ownLayout = (*findCoordinators)(nil), (*groupsOffsets)(nil)

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
	b = appendFlexibleHeader(b, protocol.FindCoordinator, findCoordinatorsVersion, clientID)
	b = append(b, 0 /* of groups */)
	b = appendCompactCount(b, len(r.groups))
	for _, group := range r.groups {
		b = appendCompact(b, group)
	}
	return finishRequest(append(b, noTags))
}

// AppendTo implements wire.Layout.
func (r *groupsOffsets) AppendTo(b []byte, clientID string) []byte {
	b = appendFlexibleHeader(b, protocol.OffsetFetch, groupsOffsetsVersion, clientID)
	b = appendCompactCount(b, len(r.groups))
	for _, g := range r.groups {
		b = appendCompact(b, g.group)
		b = appendCompactCount(b, len(g.topics))
		for _, t := range g.topics {
			b = appendCompact(b, t.topic)
			b = appendCompactCount(b, int(t.partitions))
			for p := range t.partitions {
				b = appendInt32(b, p)
			}
			b = append(b, noTags)
		}
		b = append(b, noTags)
	}
	return finishRequest(append(b, 0 /* stable or not */, noTags))
}

// ReadAnswer implements wire.Layout.
func (*findCoordinators) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := readSized(from)
	if err != nil {
		return nil, err
	}
	r := flexibleAnswer(data)
	r.int32() // throttle time
	res := &coordinatorsFound{}
	for n := r.compactCount(); n > 0 && r.err == nil; n-- {
		found := coordinatorFound{group: string(r.compact()), broker: r.int32()}
		r.compact() // host
		r.int32()   // port
		found.code = r.int16()
		r.compact() // message
		r.tags()
		res.found = append(res.found, found)
	}
	r.tags()
	if r.err != nil {
		return nil, fmt.Errorf("coordinators: %w", r.err)
	}
	return res, nil
}

// ReadAnswer implements wire.Layout.
func (*groupsOffsets) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := readSized(from)
	if err != nil {
		return nil, err
	}
	r := flexibleAnswer(data)
	r.int32() // throttle time
	res := &groupsOffsetsAnswer{}
	for n := r.compactCount(); n > 0 && r.err == nil; n-- {
		res.groups = append(res.groups, readGroupOffsets(r))
	}
	r.tags()
	if r.err != nil {
		return nil, fmt.Errorf("committed offsets: %w", r.err)
	}
	return res, nil
}

// readGroupOffsets leaves the metadata out: it may be larger than all the rest.
func readGroupOffsets(r *protocolReader) groupOffsets {
	g := groupOffsets{group: string(r.compact())}
	for t := r.compactCount(); t > 0 && r.err == nil; t-- {
		topic := offsetfetch.ResponseTopic{Name: string(r.compact())}
		for p := r.compactCount(); p > 0 && r.err == nil; p-- {
			partition := offsetfetch.ResponsePartition{PartitionIndex: r.int32(), CommittedOffset: r.int64()}
			r.int32()   // leader epoch
			r.compact() // metadata
			partition.ErrorCode = r.int16()
			r.tags()
			topic.Partitions = append(topic.Partitions, partition)
		}
		r.tags()
		g.topics = append(g.topics, topic)
	}
	g.code = r.int16()
	r.tags()
	return g
}
