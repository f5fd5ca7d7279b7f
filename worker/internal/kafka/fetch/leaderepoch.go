package fetch

import (
	"context"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Each leader of a partition has a higher epoch than the one before, and a batch
// holds the epoch of the leader that took it. A position whose last record has an
// epoch that ended before it, as the present leader knows, is in a part of the log
// that an unclean election has cut off (KIP-320).

// TruncatedError says that the log has lost records before a position: its
// records from Divergence on are gone, and others may be in their place.
type TruncatedError struct {
	Topic     string
	Partition int32
	// Offset is the position. Divergence is where the log was cut: below it, the
	// records are the same as before.
	Offset, Divergence int64
}

// Error names the place.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("topic %q, partition %d: the log was cut at offset %d, below %d", e.Topic, e.Partition, e.Divergence, e.Offset)
}

// epochEndVersion is the first version of OffsetForLeaderEpoch that consumers may
// use. Kafka knows it since 2.3; kafka-go has no layout of it.
const epochEndVersion = 3

// epochEnds asks a leader where epochs of its partitions end.
type epochEnds struct {
	topic      string
	partitions []epochQuestion
}

type epochQuestion struct {
	partition      int32
	current, epoch int32
}

type epochEndsAnswer struct{ ends map[int32]epochEnd }

// epochEnd answers an epochQuestion: the last epoch up to the asked one that the
// leader knows, and where it ends. Both are -1 if it does not know.
type epochEnd struct {
	epoch int32
	end   int64
	err   error
}

var _ wire.Layout = (*epochEnds)(nil)

// ApiKey implements protocol.Message.
func (*epochEnds) ApiKey() protocol.ApiKey { return protocol.OffsetForLeaderEpoch }

// ApiKey implements protocol.Message.
func (*epochEndsAnswer) ApiKey() protocol.ApiKey { return protocol.OffsetForLeaderEpoch }

// AppendTo implements wire.Layout.
func (r *epochEnds) AppendTo(b []byte, clientID string) []byte {
	b = wire.AppendHeader(b, protocol.OffsetForLeaderEpoch, epochEndVersion, clientID)
	b = wire.AppendInt32(b, -1) // replica id: a consumer
	b = wire.AppendInt32(b, 1)
	b = wire.AppendString(b, r.topic)
	b = wire.AppendInt32(b, int32(len(r.partitions)))
	for _, p := range r.partitions {
		b = wire.AppendInt32(wire.AppendInt32(wire.AppendInt32(b, p.partition), p.current), p.epoch)
	}
	return wire.Finish(b)
}

// ReadAnswer implements wire.Layout.
func (r *epochEnds) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	return decodeEpochEnds(data, r.topic)
}

func decodeEpochEnds(data []byte, topic string) (*epochEndsAnswer, error) {
	r := wire.Reader{Data: data}
	r.Int32() // correlation id
	r.Int32() // throttle time
	res := &epochEndsAnswer{ends: make(map[int32]epochEnd)}
	for t := r.Count(); t > 0 && r.Err == nil; t-- {
		name := r.String()
		for p := r.Count(); p > 0 && r.Err == nil; p-- {
			err := wire.ErrorOf(r.Int16())
			partition := r.Int32()
			end := epochEnd{epoch: r.Int32(), end: r.Int64(), err: err}
			if name == topic && r.Err == nil {
				res.ends[partition] = end
			}
		}
	}
	if r.Err != nil {
		return nil, fmt.Errorf("ends of leader epochs: %w", r.Err)
	}
	return res, nil
}

// askEpochEnds asks a leader about its partitions; all of them are in the result.
func askEpochEnds(ctx context.Context, c *kafka.Client, leader int32, topic string, questions []epochQuestion) map[int32]epochEnd {
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	ends := make(map[int32]epochEnd, len(questions))
	res, err := c.RoundTrip(ctx, &wire.Probe{
		BrokerID: leader, ClientID: c.ClientID(), Version: epochEndVersion,
		Request: &epochEnds{topic: topic, partitions: questions},
	})
	var answered map[int32]epochEnd
	if err == nil {
		answered = wire.Unwrap(res).(*epochEndsAnswer).ends
	}
	for _, q := range questions {
		end, ok := answered[q.partition]
		switch {
		case err != nil:
			end.err = fmt.Errorf("ask broker %d where leader epoch %d ends: %w", leader, q.epoch, err)
		case !ok:
			end.err = wire.ErrOmitted
		}
		ends[q.partition] = end
	}
	return ends
}
