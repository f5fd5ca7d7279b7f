package kafka

import (
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// topicIDVersion is the version of Metadata whose answers hold the topics' ids. Kafka
// knows it since 3.1; kafka-go's layouts end at 8.
const topicIDVersion = 12

// TopicID distinguishes a topic from another one that had its name before. Zero is
// unknown: brokers before Kafka 3.1 don't send it.
type TopicID [16]byte

// topicMetadata asks for one topic.
type topicMetadata struct{ topic string }

// topicMetadataAnswer is a Metadata answer with the topics' ids beside.
type topicMetadataAnswer struct {
	metadata.Response
	ids map[string]TopicID
}

var _ wire.Layout = (*topicMetadata)(nil)

// ApiKey implements protocol.Message.
func (*topicMetadata) ApiKey() protocol.ApiKey { return protocol.Metadata }

// AppendTo implements wire.Layout.
func (r *topicMetadata) AppendTo(b []byte, clientID string) []byte {
	b = wire.AppendFlexibleHeader(b, protocol.Metadata, topicIDVersion, clientID)
	b = wire.AppendCompactCount(b, 1)
	b = append(b, make([]byte, len(TopicID{}))...) // by its name
	b = wire.AppendCompact(b, r.topic)
	b = append(b, wire.NoTags)
	return wire.Finish(append(b, 0 /* don't create it */, 0 /* nor tell the operations */, wire.NoTags))
}

// ReadAnswer implements wire.Layout.
func (*topicMetadata) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	return decodeTopicMetadata(data)
}

func decodeTopicMetadata(data []byte) (*topicMetadataAnswer, error) {
	r := wire.ReadFlexible(data)
	res := &topicMetadataAnswer{ids: make(map[string]TopicID)}
	res.ThrottleTimeMs = r.Int32()
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		b := metadata.ResponseBroker{NodeID: r.Int32(), Host: string(r.Compact()), Port: r.Int32(), Rack: string(r.Compact())}
		r.Tags()
		res.Brokers = append(res.Brokers, b)
	}
	res.ClusterID = string(r.Compact())
	res.ControllerID = r.Int32()
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		t := metadata.ResponseTopic{ErrorCode: r.Int16(), Name: string(r.Compact())}
		var id TopicID
		copy(id[:], r.Take(len(id)))
		r.Take(1) // whether it is internal
		for p := r.CompactCount(); p > 0 && r.Err == nil; p-- {
			t.Partitions = append(t.Partitions, readPartitionMetadata(r))
		}
		r.Int32() // authorized operations
		r.Tags()
		res.Topics = append(res.Topics, t)
		res.ids[t.Name] = id
	}
	r.Tags()
	if r.Err != nil {
		return nil, fmt.Errorf("metadata: %w", r.Err)
	}
	return res, nil
}

func readPartitionMetadata(r *wire.Reader) metadata.ResponsePartition {
	p := metadata.ResponsePartition{ErrorCode: r.Int16(), PartitionIndex: r.Int32(), LeaderID: r.Int32(), LeaderEpoch: r.Int32()}
	for range 3 { // replicas, those in sync, those offline
		for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
			r.Int32()
		}
	}
	r.Tags()
	return p
}
