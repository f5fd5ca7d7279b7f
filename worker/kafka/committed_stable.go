package kafka

import (
	"context"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// stableVersion is the first version of OffsetFetch that can request stable offsets.
// Kafka knows it since 2.5; kafka-go's layouts end at 5.
const stableVersion = 7

// stableOffsetFetch is an OffsetFetch request whose response is
// UNSTABLE_OFFSET_COMMIT while a transaction is about to replace an offset: a reader
// that continues from the old offset repeats the transaction's records.
type stableOffsetFetch offsetfetch.Request

var _ ownLayout = (*stableOffsetFetch)(nil)

// ApiKey implements protocol.Message.
func (*stableOffsetFetch) ApiKey() protocol.ApiKey { return protocol.OffsetFetch }

// AppendTo implements wire.Layout.
func (r *stableOffsetFetch) AppendTo(b []byte, clientID string) []byte {
	b = appendFlexibleHeader(b, protocol.OffsetFetch, stableVersion, clientID)
	b = appendCompact(b, r.GroupID)
	b = appendCompactCount(b, len(r.Topics))
	for _, t := range r.Topics {
		b = appendCompact(b, t.Name)
		b = appendCompactCount(b, len(t.PartitionIndexes))
		for _, p := range t.PartitionIndexes {
			b = appendInt32(b, p)
		}
		b = append(b, noTags)
	}
	return finishRequest(append(b, 1 /* require stable */, noTags))
}

// ReadAnswer implements wire.Layout.
func (*stableOffsetFetch) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := readSized(from)
	if err != nil {
		return nil, err
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

// offersStableOffsets asks the coordinator for the versions that it knows, and
// reports whether stableVersion is among them: kafka-go negotiates no version beyond
// its own.
func (g *coordinator) offersStableOffsets(ctx context.Context) (bool, error) {
	broker, err := g.lookUp(ctx)
	if err != nil {
		return false, err
	}
	answer, err := g.client.ask(ctx, broker, &apiversions.Request{})
	if err != nil {
		g.forget(broker)
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
