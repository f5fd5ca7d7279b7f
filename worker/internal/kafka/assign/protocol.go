package assign

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// Members exchange these messages through the coordinator, in the consumer protocol of
// Kafka's clients (ConsumerProtocolSubscription.json and ConsumerProtocolAssignment.json
// there).

// Partition is one partition of a topic.
type Partition struct {
	Topic     string
	Partition int32
}

// Subscription is the message of a member that joins.
type Subscription struct {
	Topics     []string
	Owned      []Partition
	Generation int32 // in which it owns this; NoGeneration if it does not say
}

// Assignment is the list of partitions that a member gets, by topic.
type Assignment map[string][]int32

// NoGeneration is the generation of a member that is in none.
const NoGeneration = -1

const (
	subscriptionVersion = 3
	assignmentVersion   = 3
)

// Encode writes version 3, and the generation once more as user data, which is
// where older members look for it.
func (s *Subscription) Encode() []byte {
	be := binary.BigEndian
	b := be.AppendUint16(nil, subscriptionVersion)
	b = be.AppendUint32(b, uint32(len(s.Topics)))
	for _, t := range s.Topics {
		b = wire.AppendString(b, t)
	}
	b = be.AppendUint32(b, 4)
	b = be.AppendUint32(b, uint32(s.Generation))
	b = appendTopicPartitions(b, s.Owned)
	b = be.AppendUint32(b, uint32(s.Generation))
	return be.AppendUint16(b, 0xffff) // no rack
}

// appendTopicPartitions keeps the order: assignors take away the last partitions first.
func appendTopicPartitions(b []byte, owned []Partition) []byte {
	var topics []string
	byTopic := make(map[string][]int32)
	for _, p := range owned {
		if byTopic[p.Topic] == nil {
			topics = append(topics, p.Topic)
		}
		byTopic[p.Topic] = append(byTopic[p.Topic], p.Partition)
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

// Encode returns the message's bytes.
func (a Assignment) Encode() []byte {
	b := binary.BigEndian.AppendUint16(nil, assignmentVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a)))
	for _, topic := range slices.Sorted(maps.Keys(a)) {
		b = appendPartitions(b, topic, a[topic])
	}
	return binary.BigEndian.AppendUint32(b, 0xffffffff) // no user data
}

// DecodeSubscription reads any version: later versions append their fields.
func DecodeSubscription(data []byte) (Subscription, error) {
	r := wire.Reader{Data: data}
	s := Subscription{Generation: NoGeneration}
	version := r.Int16()
	for n := r.Count(); n > 0 && r.Err == nil; n-- {
		s.Topics = append(s.Topics, r.String())
	}
	user := r.Bytes()
	if len(user) >= 4 {
		s.Generation = int32(binary.BigEndian.Uint32(user))
	}
	if version >= 1 {
		for topic, partitions := range readPartitions(&r) {
			for _, p := range partitions {
				s.Owned = append(s.Owned, Partition{topic, p})
			}
		}
	}
	if version >= 2 {
		if g := r.Int32(); g >= 0 {
			s.Generation = g
		}
	}
	return s, r.Err
}

// DecodeAssignment reads any version; nothing at all is an empty assignment.
func DecodeAssignment(data []byte) (Assignment, error) {
	if len(data) == 0 {
		return Assignment{}, nil
	}
	r := wire.Reader{Data: data}
	r.Int16() // version
	a := make(Assignment)
	for topic, partitions := range readPartitions(&r) {
		a[topic] = append(a[topic], partitions...)
	}
	return a, r.Err
}

// readPartitions reads lists of partitions by topic, in their order.
func readPartitions(r *wire.Reader) func(yield func(string, []int32) bool) {
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
