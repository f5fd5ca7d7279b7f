package kafka

import (
	"encoding/binary"
	"fmt"
)

// noGeneration stands for the generation of who is in none.
const noGeneration = -1

// subscription is what a member tells the group's leader of itself in
// JoinGroup: the consumer protocol's subscription.
type subscription struct {
	topics []string
	owned  []topicPartitions
	// generation is the one in which owned was owned.
	generation int32
}

// topicPartitions is some partitions of a topic. Their order means something:
// an assignor takes the last away first.
type topicPartitions struct {
	topic      string
	partitions []int32
}

// subscriptionVersion is the version that is written: with the generation and
// the rack.
const subscriptionVersion = 3

// encode writes version 3. The generation is also in the user data, where Java's
// cooperative-sticky assignor put it before the subscription had a field for it.
func (s *subscription) encode() []byte {
	b := binary.BigEndian.AppendUint16(nil, subscriptionVersion)
	b = appendInt32(b, int32(len(s.topics)))
	for _, topic := range s.topics {
		b = appendString(b, topic)
	}
	b = appendInt32(b, 4)
	b = appendInt32(b, s.generation)
	b = appendTopicPartitions(b, s.owned)
	b = appendInt32(b, s.generation)
	return binary.BigEndian.AppendUint16(b, 1<<16-1) // no rack
}

// decodeSubscription reads any version. Fields that later versions may append
// are skipped.
func decodeSubscription(b []byte) (*subscription, error) {
	r := &groupReader{b: b}
	s := &subscription{generation: noGeneration}
	version := r.int16()
	for range r.count(2) {
		s.topics = append(s.topics, r.string())
	}
	userData := r.bytes()
	if len(userData) >= 4 {
		s.generation = int32(binary.BigEndian.Uint32(userData))
	}
	if version >= 1 {
		s.owned = r.topicPartitions()
	}
	if version >= 2 {
		s.generation = r.int32()
	}
	if r.err != nil {
		return nil, fmt.Errorf("decode a subscription of version %d: %w", version, r.err)
	}
	return s, nil
}

// encodeAssignment writes the partitions that a member gets in SyncGroup.
func encodeAssignment(assigned []topicPartitions) []byte {
	b := binary.BigEndian.AppendUint16(nil, 0) // all versions have these fields
	b = appendTopicPartitions(b, assigned)
	return appendInt32(b, -1) // no user data
}

// decodeAssignment reads any version. Nothing at all, which a leader may send to
// who gets nothing, is an empty assignment.
func decodeAssignment(b []byte) ([]topicPartitions, error) {
	if len(b) == 0 {
		return nil, nil
	}
	r := &groupReader{b: b}
	version := r.int16()
	assigned := r.topicPartitions()
	if r.err != nil {
		return nil, fmt.Errorf("decode an assignment of version %d: %w", version, r.err)
	}
	return assigned, nil
}

func appendTopicPartitions(b []byte, list []topicPartitions) []byte {
	b = appendInt32(b, int32(len(list)))
	for _, t := range list {
		b = appendString(b, t.topic)
		b = appendInt32(b, int32(len(t.partitions)))
		for _, p := range t.partitions {
			b = appendInt32(b, p)
		}
	}
	return b
}
