package kafka

import (
	"slices"
	"time"
)

// Placement says which partition of a topic a record is written to.
type Placement struct {
	kind placementKind
	n    uint32
}

type placementKind uint8

const (
	byKey placementKind = iota
	fixed
	anywhere
)

// ByKey is where Kafka's default partitioner puts the record's key, which must
// not be null.
func ByKey() Placement { return Placement{kind: byKey} }

// At is partition n of the topic, modulo the number of its partitions.
func At(n uint32) Placement { return Placement{kind: fixed, n: n} }

// Anywhere is At(n) as long as that partition can be written to. While it can't,
// as when it has no leader, the record goes to one that can.
func Anywhere(n uint32) Placement { return Placement{kind: anywhere, n: n} }

// topicLayout holds the partitions of a topic as its writer knows them. It never
// changes; the TopicWriter replaces it as a whole.
type topicLayout struct {
	queues []*partitionQueue // by partition
	// away marks the partitions that can't be written to, and usable are the
	// others; both are nil while all can be, and while none can.
	away   []bool
	usable []int32
}

// queue returns the queue for a record.
func (l *topicLayout) queue(to Placement, key []byte) *partitionQueue {
	count, at := uint32(len(l.queues)), to.n
	if to.kind == byKey {
		return l.queues[partitionOf(key, int32(count))]
	}
	if at >= count {
		at %= count
	}
	if to.kind == anywhere && l.away != nil && l.away[at] {
		at = uint32(l.usable[to.n/count%uint32(len(l.usable))])
	}
	return l.queues[at]
}

// Partitions returns how many partitions the topic has, as far as is known.
func (t *TopicWriter) Partitions() int32 { return int32(len(t.layout.Load().queues)) }

// addQueues gives l as many partitions as count.
func (t *TopicWriter) addQueues(l *topicLayout, count int) {
	l.queues = slices.Grow(slices.Clone(l.queues), count-len(l.queues))
	for i := len(l.queues); i < count; i++ {
		l.queues = append(l.queues, &partitionQueue{topic: t, partition: int32(i), producer: noProducer})
	}
}

// replaceLayout makes a layout of these queues the topic's. Needs mu.
func (t *TopicWriter) replaceLayout(queues []*partitionQueue) {
	l := &topicLayout{queues: queues}
	for i, q := range queues {
		if !q.leaderless && !q.failing {
			l.usable = append(l.usable, int32(i))
		}
	}
	if len(l.usable) == 0 || len(l.usable) == len(queues) {
		l.usable = nil
	} else {
		l.away = make([]bool, len(queues))
		for i, q := range queues {
			l.away[i] = q.leaderless || q.failing
		}
	}
	t.layout.Store(l)
}

// setFailing notes whether the last attempt to write to a partition has failed,
// so that records that may go anywhere go to another one.
func (t *TopicWriter) setFailing(q *partitionQueue, failing bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.failing != failing {
		q.failing, q.failed = failing, time.Now()
		t.replaceLayout(t.layout.Load().queues)
	}
}
