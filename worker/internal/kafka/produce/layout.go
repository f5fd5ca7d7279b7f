package produce

import (
	"slices"
	"time"
)

// Placement chooses the partition of a record.
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

// ByKey is the partition that Kafka's default partitioner chooses for the record's key,
// which must not be null.
func ByKey() Placement { return Placement{kind: byKey} }

// At is partition n of the topic, modulo the number of its partitions.
func At(n uint32) Placement { return Placement{kind: fixed, n: n} }

// Anywhere is At(n) as long as that partition can be written to. While it can't, for
// example without a leader, the record goes to another partition.
func Anywhere(n uint32) Placement { return Placement{kind: anywhere, n: n} }

// topicLayout holds the partitions of a topic, as far as its writer knows. It never
// changes; the TopicWriter replaces it as a whole.
type topicLayout struct {
	queues []*partitionQueue // by partition
	// away marks the partitions that can't be written to, and usable lists the others.
	// Both are nil while all partitions can be written to, and while none can.
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

// addQueues adds partitions to l until there are count.
func (t *TopicWriter) addQueues(l *topicLayout, count int) {
	l.queues = slices.Grow(slices.Clone(l.queues), count-len(l.queues))
	for i := len(l.queues); i < count; i++ {
		l.queues = append(l.queues, &partitionQueue{topic: t, partition: int32(i), producer: noProducer})
	}
}

// replaceLayout gives the topic a layout of these queues. Needs mu.
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

// setFailing records whether the last attempt to write to a partition has failed, so
// that records that may go anywhere avoid it.
func (t *TopicWriter) setFailing(q *partitionQueue, failing bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.failing != failing {
		q.failing, q.failed = failing, time.Now()
		t.replaceLayout(t.layout.Load().queues)
	}
}
