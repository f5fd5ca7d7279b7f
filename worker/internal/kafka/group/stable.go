package group

import (
	"context"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// stableVersion is the first version of OffsetFetch that can request stable offsets.
// Kafka knows it since 2.5; kafka-go's layouts end at 5.
const stableVersion = 7

// stableOffsetFetch is an OffsetFetch request whose response is
// UNSTABLE_OFFSET_COMMIT while a transaction is about to replace an offset: a reader
// that continues from the old offset repeats the transaction's records.
type stableOffsetFetch offsetfetch.Request

var _ wire.Layout = (*stableOffsetFetch)(nil)

// ApiKey implements protocol.Message.
func (*stableOffsetFetch) ApiKey() protocol.ApiKey { return protocol.OffsetFetch }

// AppendTo implements wire.Layout.
func (r *stableOffsetFetch) AppendTo(b []byte, clientID string) []byte {
	b = wire.AppendFlexibleHeader(b, protocol.OffsetFetch, stableVersion, clientID)
	b = wire.AppendCompact(b, r.GroupID)
	b = wire.AppendCompactCount(b, len(r.Topics))
	for _, t := range r.Topics {
		b = wire.AppendCompact(b, t.Name)
		b = wire.AppendCompactCount(b, len(t.PartitionIndexes))
		for _, p := range t.PartitionIndexes {
			b = wire.AppendInt32(b, p)
		}
		b = append(b, wire.NoTags)
	}
	return wire.Finish(append(b, 1 /* require stable */, wire.NoTags))
}

// ReadAnswer implements wire.Layout.
func (*stableOffsetFetch) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	return decodeStableOffsets(data)
}

func decodeStableOffsets(data []byte) (*offsetfetch.Response, error) {
	r := wire.Reader{Data: data}
	r.Int32() // correlation id
	r.Tags()
	res := &offsetfetch.Response{ThrottleTimeMs: r.Int32()}
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		topic := offsetfetch.ResponseTopic{Name: string(r.Compact())}
		for p := r.CompactCount(); p > 0 && r.Err == nil; p-- {
			topic.Partitions = append(topic.Partitions, offsetfetch.ResponsePartition{
				PartitionIndex: r.Int32(), CommittedOffset: r.Int64(), ComittedLeaderEpoch: r.Int32(),
				Metadata: string(r.Compact()), ErrorCode: r.Int16(),
			})
			r.Tags()
		}
		r.Tags()
		res.Topics = append(res.Topics, topic)
	}
	res.ErrorCode = r.Int16()
	r.Tags()
	if r.Err != nil {
		return nil, fmt.Errorf("committed offsets: %w", r.Err)
	}
	return res, nil
}

// offersStableOffsets reports whether the coordinator knows stableVersion.
func (g *coordinator) offersStableOffsets(ctx context.Context) (bool, error) {
	broker, err := g.lookUp(ctx)
	if err != nil {
		return false, err
	}
	latest, err := g.client.LatestVersions(ctx, broker)
	if err != nil {
		g.forget(broker)
		return false, err
	}
	return latest[protocol.OffsetFetch] >= stableVersion, nil
}
