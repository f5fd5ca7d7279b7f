package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/record"
)

// noTimestamp is the timestamp of a record that has none.
const noTimestamp = -1

// Message is a record to be written.
type Message struct {
	// Key and Value are Kafka's null if they are nil.
	Key, Value []byte
	Headers    []record.Header
	// Extra are appended to Headers.
	Extra []record.Header
	// Timestamp is in milliseconds since 1970; -1 is none.
	Timestamp int64
}

// Origin says what a record was made for. Acks carry it back.
type Origin struct {
	// Owner is a pointer, so that it is kept without an allocation.
	Owner any
	Index int32
}

// TopicWriter writes to one topic of its Producer. It is safe for concurrent
// use.
type TopicWriter struct {
	producer *Producer
	name     string
	queues   []*partitionQueue // by partition
	lookups  streak            // of failures to find leaders
}

func newTopicWriter(p *Producer, name string, partitions int32) *TopicWriter {
	t := &TopicWriter{producer: p, name: name, queues: make([]*partitionQueue, partitions)}
	for i := range t.queues {
		t.queues[i] = &partitionQueue{topic: t, partition: int32(i), producer: noProducer}
	}
	return t
}

// Partitions returns how many partitions the topic has.
func (t *TopicWriter) Partitions() int32 { return int32(len(t.queues)) }

// PartitionFor returns the partition that Kafka's default partitioner chooses
// for a key that is not null.
func (t *TopicWriter) PartitionFor(key []byte) int32 { return partitionOf(key, t.Partitions()) }

// Append queues m for a partition and copies it: m and its bytes are the
// caller's again. It returns an error, and queues nothing, if m can't be a
// record of Kafka's or is ErrTooLarge. It waits while the Producer's memory is
// used up; if ctx or the Producer ends meanwhile, the error is ctx's or a
// context.Canceled.
func (t *TopicWriter) Append(ctx context.Context, partition int32, m *Message, o Origin) error {
	if uint32(partition) >= uint32(len(t.queues)) {
		return fmt.Errorf("partition %d of topic %q, which has %d partitions", partition, t.name, len(t.queues))
	}
	if m.Timestamp < noTimestamp {
		return fmt.Errorf("timestamp %d of a record for topic %q: Kafka stores none before 1970", m.Timestamp, t.name)
	}
	var credit int64
	q := t.queues[partition]
	q.mu.Lock()
	sig, missing, err := q.add(m, o, &credit)
	q.mu.Unlock()
	if missing > 0 {
		return q.addLater(ctx, m, o, missing)
	}
	if sig.activated || sig.nudge {
		q.follow(sig)
	}
	return err
}

// addLater is add when missing bytes of the budget are free.
func (q *partitionQueue) addLater(ctx context.Context, m *Message, o Origin, missing int64) error {
	p := q.topic.producer
	for {
		if err := p.await(ctx, missing); err != nil {
			return err
		}
		var sig signal
		var err error
		credit := missing
		q.mu.Lock()
		sig, missing, err = q.add(m, o, &credit)
		q.mu.Unlock()
		// Others may have made room, or taken it.
		p.giveBack(credit)
		if missing == 0 {
			q.follow(sig)
			return err
		}
	}
}

// follow tells whoever has to know what an append has changed.
func (q *partitionQueue) follow(sig signal) {
	switch {
	case sig.activated && sig.sender == nil:
		q.topic.producer.route(q, 0)
	case sig.activated:
		if sig.nudge {
			sig.due = time.Time{}
		}
		sig.sender.add(q, sig.due)
	case sig.nudge && sig.sender != nil:
		sig.sender.nudge()
	}
}
