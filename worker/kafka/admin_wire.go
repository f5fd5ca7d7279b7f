package kafka

import (
	"encoding/binary"
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

// appendTo implements ownLayout.
func (r *findCoordinators) appendTo(b []byte, clientID string) []byte {
	b = appendFlexibleHeader(b, protocol.FindCoordinator, findCoordinatorsVersion, clientID)
	b = append(b, 0 /* of groups */)
	b = appendCompactCount(b, len(r.groups))
	for _, group := range r.groups {
		b = appendCompact(b, group)
	}
	return finishRequest(append(b, noTags))
}

// appendTo implements ownLayout.
func (r *groupsOffsets) appendTo(b []byte, clientID string) []byte {
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

func appendFlexibleHeader(b []byte, key protocol.ApiKey, version int16, clientID string) []byte {
	b = appendInt32(b, 0) // size, see finishRequest
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = appendInt32(b, 0) // correlation id
	b = appendString(b, clientID)
	return append(b, noTags)
}

// finishRequest fills in the size.
func finishRequest(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func appendCompactCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

// readAnswer implements ownLayout.
func (*findCoordinators) readAnswer(from io.Reader) (protocol.Message, error) {
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

// readAnswer implements ownLayout.
func (*groupsOffsets) readAnswer(from io.Reader) (protocol.Message, error) {
	data, err := readSized(from)
	if err != nil {
		return nil, err
	}
	r := flexibleAnswer(data)
	r.int32() // throttle time
	res := &groupsOffsetsAnswer{}
	for n := r.compactCount(); n > 0 && r.err == nil; n-- {
		res.groups = append(res.groups, r.groupOffsets())
	}
	r.tags()
	if r.err != nil {
		return nil, fmt.Errorf("committed offsets: %w", r.err)
	}
	return res, nil
}

// groupOffsets leaves the metadata out: it may be larger than all the rest.
func (r *protocolReader) groupOffsets() groupOffsets {
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

func flexibleAnswer(data []byte) *protocolReader {
	r := &protocolReader{data: data}
	r.int32() // correlation id
	r.tags()
	return r
}

// readSized reads one answer without its size.
func readSized(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	// Memory is taken as the data comes, not for a claim.
	whole := int64(binary.BigEndian.Uint32(size[:]))
	data, err := io.ReadAll(io.LimitReader(from, whole))
	if err == nil && int64(len(data)) < whole {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}
