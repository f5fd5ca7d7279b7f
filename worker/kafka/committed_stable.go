package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// stableVersion of OffsetFetch is the first that can be asked for stable offsets.
// Kafka knows it since 2.5; kafka-go's layouts end at 5.
const stableVersion = 7

// stableOffsetFetch is an OffsetFetch request that is answered by
// UNSTABLE_OFFSET_COMMIT while a transaction is about to replace an offset: who
// went on from the old one would repeat what the transaction holds.
type stableOffsetFetch offsetfetch.Request

var _ ownLayout = (*stableOffsetFetch)(nil)

// ApiKey implements protocol.Message.
func (*stableOffsetFetch) ApiKey() protocol.ApiKey { return protocol.OffsetFetch }

// appendTo implements ownLayout.
func (r *stableOffsetFetch) appendTo(b []byte, clientID string) []byte {
	be := binary.BigEndian
	b = appendInt32(b, 0) // size, filled in below
	b = be.AppendUint16(b, uint16(protocol.OffsetFetch))
	b = be.AppendUint16(b, stableVersion)
	b = appendInt32(b, 0) // correlation id
	b = appendString(b, clientID)
	b = append(b, noTags)
	b = appendCompact(b, r.GroupID)
	b = binary.AppendUvarint(b, uint64(len(r.Topics))+1)
	for _, t := range r.Topics {
		b = appendCompact(b, t.Name)
		b = binary.AppendUvarint(b, uint64(len(t.PartitionIndexes))+1)
		for _, p := range t.PartitionIndexes {
			b = appendInt32(b, p)
		}
		b = append(b, noTags)
	}
	b = append(b, 1 /* require stable */, noTags)
	be.PutUint32(b, uint32(len(b)-4))
	return b
}

// noTags ends a structure of the flexible encoding that has no tagged fields.
const noTags = 0

func appendCompact(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

// readAnswer implements ownLayout.
func (*stableOffsetFetch) readAnswer(from io.Reader) (protocol.Message, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	// Memory is taken as the data comes, not for a claim.
	whole := int64(binary.BigEndian.Uint32(size[:]))
	data, err := io.ReadAll(io.LimitReader(from, whole))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < whole {
		return nil, io.ErrUnexpectedEOF
	}
	return decodeStableOffsets(data)
}

func decodeStableOffsets(data []byte) (*offsetfetch.Response, error) {
	r := protocolReader{data: data}
	r.int32() // correlation id
	r.tags()
	res := &offsetfetch.Response{ThrottleTimeMs: r.int32()}
	for n := r.compactCount(); n > 0 && r.err == nil; n-- {
		topic := offsetfetch.ResponseTopic{Name: string(r.compact())}
		for p := r.compactCount(); p > 0 && r.err == nil; p-- {
			topic.Partitions = append(topic.Partitions, offsetfetch.ResponsePartition{
				PartitionIndex: r.int32(), CommittedOffset: r.int64(), ComittedLeaderEpoch: r.int32(),
				Metadata: string(r.compact()), ErrorCode: r.int16(),
			})
			r.tags()
		}
		r.tags()
		res.Topics = append(res.Topics, topic)
	}
	res.ErrorCode = r.int16()
	r.tags()
	if r.err != nil {
		return nil, fmt.Errorf("committed offsets: %w", r.err)
	}
	return res, nil
}

// offersStableOffsets asks the coordinator whether it knows stableVersion:
// kafka-go tells of no version beyond its own.
func (m *Member) offersStableOffsets(ctx context.Context) (bool, error) {
	broker, err := m.coordinator(ctx)
	if err != nil {
		return false, err
	}
	answer, err := m.c.ask(ctx, broker, &apiversions.Request{})
	if err != nil {
		m.forgetCoordinator(broker)
		return false, err
	}
	res := answer.(*apiversions.Response)
	if err := errorOf(res.ErrorCode); err != nil {
		return false, err
	}
	for _, api := range res.ApiKeys {
		if protocol.ApiKey(api.ApiKey) == protocol.OffsetFetch {
			return api.MaxVersion >= stableVersion, nil
		}
	}
	return false, nil
}
