package kafka

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// What members tell each other through the coordinator is the consumer protocol
// of Kafka's clients (ConsumerProtocolSubscription.json and
// ConsumerProtocolAssignment.json there).

type topicPartition struct {
	topic     string
	partition int32
}

// subscription is what a member says when it joins.
type subscription struct {
	topics     []string
	owned      []topicPartition
	generation int32 // in which it owns this; noGeneration if it does not say
}

// assignment is what a member is given: partitions by topic.
type assignment map[string][]int32

// noGeneration stands for the generation of who is in none.
const noGeneration = -1

const (
	subscriptionVersion = 3
	assignmentVersion   = 3
)

// encode writes version 3, and the generation once more as user data, which is
// where older members look for it.
func (s *subscription) encode() []byte {
	be := binary.BigEndian
	b := be.AppendUint16(nil, subscriptionVersion)
	b = be.AppendUint32(b, uint32(len(s.topics)))
	for _, t := range s.topics {
		b = wire.AppendString(b, t)
	}
	b = be.AppendUint32(b, 4)
	b = be.AppendUint32(b, uint32(s.generation))
	b = appendTopicPartitions(b, s.owned)
	b = be.AppendUint32(b, uint32(s.generation))
	return be.AppendUint16(b, 0xffff) // no rack
}

// appendTopicPartitions keeps the order: assignors take away the last ones
// first.
func appendTopicPartitions(b []byte, owned []topicPartition) []byte {
	var topics []string
	byTopic := make(map[string][]int32)
	for _, p := range owned {
		if byTopic[p.topic] == nil {
			topics = append(topics, p.topic)
		}
		byTopic[p.topic] = append(byTopic[p.topic], p.partition)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, t := range topics {
		b = appendPartitions(b, t, byTopic[t])
	}
	return b
}

func appendPartitions(b []byte, topic string, partitions []int32) []byte {
	b = wire.AppendString(b, topic)
	b = binary.BigEndian.AppendUint32(b, uint32(len(partitions)))
	for _, p := range partitions {
		b = wire.AppendInt32(b, p)
	}
	return b
}

func (a assignment) encode() []byte {
	b := binary.BigEndian.AppendUint16(nil, assignmentVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a)))
	for _, topic := range slices.Sorted(maps.Keys(a)) {
		b = appendPartitions(b, topic, a[topic])
	}
	return binary.BigEndian.AppendUint32(b, 0xffffffff) // no user data
}

// decodeSubscription reads any version: what a later one adds comes behind what
// is known here.
func decodeSubscription(data []byte) (subscription, error) {
	r := wire.Reader{Data: data}
	s := subscription{generation: noGeneration}
	version := r.Int16()
	for n := r.Count(); n > 0 && r.Err == nil; n-- {
		s.topics = append(s.topics, r.String())
	}
	user := r.Bytes()
	if len(user) >= 4 {
		s.generation = int32(binary.BigEndian.Uint32(user))
	}
	if version >= 1 {
		for topic, partitions := range topicPartitions(&r) {
			for _, p := range partitions {
				s.owned = append(s.owned, topicPartition{topic, p})
			}
		}
	}
	if version >= 2 {
		if g := r.Int32(); g >= 0 {
			s.generation = g
		}
	}
	return s, r.Err
}

// decodeAssignment reads any version; nothing at all is an empty assignment.
func decodeAssignment(data []byte) (assignment, error) {
	if len(data) == 0 {
		return assignment{}, nil
	}
	r := wire.Reader{Data: data}
	r.Int16() // version
	a := make(assignment)
	for topic, partitions := range topicPartitions(&r) {
		a[topic] = append(a[topic], partitions...)
	}
	return a, r.Err
}

// topicPartitions reads lists of partitions by topic, in their order.
func topicPartitions(r *wire.Reader) func(yield func(string, []int32) bool) {
	return func(yield func(string, []int32) bool) {
		for n := r.Count(); n > 0 && r.Err == nil; n-- {
			topic := r.String()
			var partitions []int32
			for m := r.Count(); m > 0 && r.Err == nil; m-- {
				partitions = append(partitions, r.Int32())
			}
			if r.Err == nil && !yield(topic, partitions) {
				return
			}
		}
	}
}
