package kafka

import (
	"encoding/binary"
	"maps"
	"slices"
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
		b = appendString(b, t)
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
	b = appendString(b, topic)
	b = binary.BigEndian.AppendUint32(b, uint32(len(partitions)))
	for _, p := range partitions {
		b = appendInt32(b, p)
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
	r := protocolReader{data: data}
	s := subscription{generation: noGeneration}
	version := r.int16()
	for n := r.count(); n > 0 && r.err == nil; n-- {
		s.topics = append(s.topics, r.string())
	}
	user := r.bytes()
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
		if g := r.int32(); g >= 0 {
			s.generation = g
		}
	}
	return s, r.err
}

// decodeAssignment reads any version; nothing at all is an empty assignment.
func decodeAssignment(data []byte) (assignment, error) {
	if len(data) == 0 {
		return assignment{}, nil
	}
	r := protocolReader{data: data}
	r.int16() // version
	a := make(assignment)
	for topic, partitions := range topicPartitions(&r) {
		a[topic] = append(a[topic], partitions...)
	}
	return a, r.err
}

// topicPartitions reads lists of partitions by topic, in their order.
func topicPartitions(r *protocolReader) func(yield func(string, []int32) bool) {
	return func(yield func(string, []int32) bool) {
		for n := r.count(); n > 0 && r.err == nil; n-- {
			topic := r.string()
			var partitions []int32
			for m := r.count(); m > 0 && r.err == nil; m-- {
				partitions = append(partitions, r.int32())
			}
			if r.err == nil && !yield(topic, partitions) {
				return
			}
		}
	}
}
