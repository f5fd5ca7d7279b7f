package kafka

import (
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
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

var _ ownLayout = (*topicMetadata)(nil)

// ApiKey implements protocol.Message.
func (*topicMetadata) ApiKey() protocol.ApiKey { return protocol.Metadata }

// AppendTo implements wire.Layout.
func (r *topicMetadata) AppendTo(b []byte, clientID string) []byte {
	b = appendFlexibleHeader(b, protocol.Metadata, topicIDVersion, clientID)
	b = appendCompactCount(b, 1)
	b = append(b, make([]byte, len(TopicID{}))...) // by its name
	b = appendCompact(b, r.topic)
	b = append(b, noTags)
	return finishRequest(append(b, 0 /* don't create it */, 0 /* nor tell the operations */, noTags))
}

// ReadAnswer implements wire.Layout.
func (*topicMetadata) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := readSized(from)
	if err != nil {
		return nil, err
	}
	return decodeTopicMetadata(data)
}

func decodeTopicMetadata(data []byte) (*topicMetadataAnswer, error) {
	r := flexibleAnswer(data)
	res := &topicMetadataAnswer{ids: make(map[string]TopicID)}
	res.ThrottleTimeMs = r.int32()
	for n := r.compactCount(); n > 0 && r.err == nil; n-- {
		b := metadata.ResponseBroker{NodeID: r.int32(), Host: string(r.compact()), Port: r.int32(), Rack: string(r.compact())}
		r.tags()
		res.Brokers = append(res.Brokers, b)
	}
	res.ClusterID = string(r.compact())
	res.ControllerID = r.int32()
	for n := r.compactCount(); n > 0 && r.err == nil; n-- {
		t := metadata.ResponseTopic{ErrorCode: r.int16(), Name: string(r.compact())}
		var id TopicID
		copy(id[:], r.take(len(id)))
		r.take(1) // whether it is internal
		for p := r.compactCount(); p > 0 && r.err == nil; p-- {
			t.Partitions = append(t.Partitions, readPartitionMetadata(r))
		}
		r.int32() // authorized operations
		r.tags()
		res.Topics = append(res.Topics, t)
		res.ids[t.Name] = id
	}
	r.tags()
	if r.err != nil {
		return nil, fmt.Errorf("metadata: %w", r.err)
	}
	return res, nil
}

func readPartitionMetadata(r *protocolReader) metadata.ResponsePartition {
	p := metadata.ResponsePartition{ErrorCode: r.int16(), PartitionIndex: r.int32(), LeaderID: r.int32(), LeaderEpoch: r.int32()}
	for range 3 { // replicas, those in sync, those offline
		for n := r.compactCount(); n > 0 && r.err == nil; n-- {
			r.int32()
		}
	}
	r.tags()
	return p
}
