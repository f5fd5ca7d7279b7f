package produce

import (
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// A topic that was deleted and created again may have fewer partitions. The Producer
// moves the records of missing partitions to others, by their keys: in one step for
// all of them, and before anything is appended under the new number, so that the
// records of a key keep their order.
//
// Only the goroutine that holds a queue may touch it. So a goroutine whose queue's
// partition is gone parks the queue here, and the goroutine that parks the last queue
// moves the records of all. Until then, Append adds records as before.

// errMoved says that a queue's partition is gone, so it takes no records.
var errMoved = errors.New("the topic has fewer partitions now")

// errFewerPartitions dooms a transaction.
var errFewerPartitions = errors.New("a partition with records that may be stored is gone: the topic was created again with fewer partitions")

// fewerConfirmed is how long the cluster has to name fewer partitions before the
// Producer acts on it: after a topic has grown, a broker that lags behind names fewer
// too.
const fewerConfirmed = 2 * time.Second

// shrinking is the state of a topic that may have lost partitions. Guarded by
// the topic's mu.
type shrinking struct {
	fewer int       // partitions in the last answer, if they are fewer; else 0
	since time.Time // when fewer was first seen
	sure  int       // the new number of partitions, once it is sure; else 0
	// parked holds the queues whose records are to be moved.
	parked map[*partitionQueue]bool
}

// cancel forgets that the cluster named fewer partitions, and returns the parked
// queues.
func (s *shrinking) cancel() []*partitionQueue {
	var left []*partitionQueue
	for q := range s.parked {
		left = append(left, q)
	}
	*s = shrinking{}
	return left
}

// sawFewer notes an answer of fewer partitions than there were. Needs mu.
func (t *TopicWriter) sawFewer(count int, now time.Time) {
	s := &t.shrink
	if s.fewer != count {
		s.fewer, s.since = count, now
	}
	if count > 0 && now.Sub(s.since) >= fewerConfirmed {
		s.sure = count
	}
}

// park takes a queue from its holder if its partition is gone, and reports whether it
// has done so.
func (t *TopicWriter) park(q *partitionQueue) bool {
	t.mu.Lock()
	if t.shrink.sure == 0 || int(q.partition) < t.shrink.sure {
		t.mu.Unlock()
		return false
	}
	if t.shrink.parked == nil {
		t.shrink.parked = make(map[*partitionQueue]bool)
	}
	t.shrink.parked[q] = true
	moved := t.tryShrink()
	t.mu.Unlock()
	for _, q := range moved {
		t.producer.router.route(q, 0)
	}
	t.producer.senders.wakeAll()
	return true
}

// tryShrink drops the missing partitions once nobody holds their queues. It returns
// the queues that got records and that nobody holds: the caller has to route them.
// Needs mu.
func (t *TopicWriter) tryShrink() (moved []*partitionQueue) {
	count := t.shrink.sure
	if count == 0 {
		return nil
	}
	queues := t.layout.Load().queues
	for _, q := range queues {
		q.mu.Lock()
	}
	defer func() {
		for _, q := range queues {
			q.mu.Unlock()
		}
	}()
	for _, q := range queues[count:] {
		if q.active && !t.shrink.parked[q] {
			return nil
		}
		if t.producer.transactions.enabled() && q.maybeStored() {
			tx := t.producer.transactions.current.Load()
			t.producer.tasks.start(func() { t.producer.transactions.doom(tx, doomedUnknown, errFewerPartitions) })
			return nil
		}
	}
	t.log("the topic was created again with fewer partitions", len(queues), count)
	left := queues[:count:count]
	for _, q := range queues[count:] {
		moved = q.moveTo(left, moved)
	}
	t.producer.moves.Add(1)
	t.shrink = shrinking{}
	t.replaceLayout(left)
	return moved
}

// moveTo moves all records to the queues in left and ends q. It appends to moved the
// queues that nobody holds. Needs mu of all of them.
func (q *partitionQueue) moveTo(left, moved []*partitionQueue) []*partitionQueue {
	q.seal()
	q.closed = errMoved
	q.settled = q.appended
	m := &q.topic.producer.memory
	for _, b := range q.sealed {
		for i, part := range m.divide(b, q.targets(b, len(left))) {
			if part == nil {
				continue
			}
			target := left[i]
			target.insert(part)
			if !target.active {
				target.active = true
				moved = append(moved, target)
			}
		}
		m.release(b)
	}
	q.sealed, q.active = nil, false
	return moved
}

// targets returns the new partition of each record of b.
func (q *partitionQueue) targets(b *batch.Builder, count int) []int32 {
	targets := make([]int32, b.Count())
	for i, key := range b.Keys {
		if key != nil {
			targets[i] = partitionOf(key, int32(count))
		} else {
			targets[i] = q.partition % int32(count)
		}
	}
	return targets
}
