package produce

import (
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// Records that may go anywhere don't wait for a partition that can't be written to.
// topicLayout sends new records elsewhere; this file moves the queued ones. A batch
// that may be stored waits for the delivery timeout first, since moving it may write
// its records twice. A longer wait would stop the input for as long as the partition
// is away.

// retryIdleAfter is how long new records avoid a failing partition with an empty
// queue. Then some of them test whether the partition can be written to again.
const retryIdleAfter = 10 * time.Second

// errLongAway dooms a transaction: elsewhere it may only move a batch that is certainly
// not part of it.
var errLongAway = errors.New("a partition with records that may be stored is away for longer than output.deliveryTimeout")

// divert moves the records of a queue that may go anywhere to partitions that can be
// written to. The caller holds the queue. If divert returns true, the queue is empty
// and nobody holds it.
func (r *router) divert(q *partitionQueue) (emptied bool) {
	tx := r.p.transactions.current.Load()
	overdue := q.topic.hasOthers(q) && q.overdue()
	switch {
	case overdue && r.p.transactions.enabled():
		overdue = false
		r.p.transactions.doom(tx, doomedUnknown, errLongAway)
	case overdue:
		r.p.ids.startOver(q) // may wait for the cluster, so no lock is held
	}
	d := q.topic.divert(q, overdue)
	for _, target := range d.targets {
		r.route(target, 0)
	}
	if d.moved > 0 {
		r.p.senders.wakeAll()
		r.p.flusher.progressed()
	}
	return d.emptied
}

// diversion describes a move of a queue's records.
type diversion struct {
	moved   int               // batches
	targets []*partitionQueue // the queues that got records and that nobody holds
	emptied bool              // the queue is empty now
}

// hasOthers reports whether there are partitions to use instead of q's, and counts for
// how long there are. The caller holds the queue.
func (t *TopicWriter) hasOthers(q *partitionQueue) bool {
	if t.layout.Load().usable == nil {
		q.away = refusals{} // an outage, in which moving would not help
		return false
	}
	q.away.add(time.Now())
	return true
}

// overdue reports whether the first batch of the queue may be stored, has only
// records that may go anywhere, and has waited for the delivery timeout. The caller
// holds the queue.
func (q *partitionQueue) overdue() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.sealed) == 0 || q.away.total < q.topic.producer.deliveryTimeout {
		return false
	}
	first := q.sealed[0]
	return first.MaybeStored && first.Movable() == first.Count()
}

// divert does the work of router.divert under the locks of all queues.
func (t *TopicWriter) divert(q *partitionQueue, overdue bool) (d diversion) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.layout.Load()
	if l.usable == nil || int(q.partition) >= len(l.queues) || !l.away[q.partition] {
		return diversion{}
	}
	for _, other := range l.queues {
		other.mu.Lock()
	}
	defer func() {
		for _, other := range l.queues {
			other.mu.Unlock()
		}
	}()
	if q.open != nil && q.open.Movable() > 0 {
		q.seal()
	}
	var kept []*batch.Builder
	for i, b := range q.sealed {
		stays, moves := separate(&t.producer.memory, b, overdue)
		if stays != nil {
			kept = append(kept, stays)
		}
		if moves == nil {
			continue
		}
		if i == 0 {
			q.away = refusals{} // the next one has not waited yet
		}
		q.settled += int64(moves.Count())
		target := l.queues[l.usable[t.diverted%uint32(len(l.usable))]]
		t.diverted++
		if target.adopt(moves) {
			d.targets = append(d.targets, target)
		}
		t.producer.moves.Add(1)
		d.moved++
	}
	q.sealed = kept
	if d.emptied = len(kept) == 0 && q.open == nil; d.emptied {
		q.active, q.stuck, q.sender, q.notBefore = false, false, nil, time.Time{}
	}
	return d
}

// separate divides a batch into the records that stay and those that move; either may
// be nil. A batch that may be stored moves only as a whole and if overdue is true: to
// divide it could change the order of the records that stay.
func separate(m *memory, b *batch.Builder, overdue bool) (stays, moves *batch.Builder) {
	switch {
	case b.Movable() == 0, b.MaybeStored && !(overdue && b.Movable() == b.Count()):
		return b, nil
	case b.Movable() == b.Count():
		b.Reopen()
		b.MaybeStored = false
		return nil, b
	}
	parts := make([]int32, b.Count())
	for i, o := range b.Origins() {
		if o.Anywhere {
			parts[i] = 1
		}
	}
	divided := m.divide(b, parts)
	m.release(b)
	return divided[0], divided[1]
}

// adopt appends a batch of another queue. It reports whether nobody holds the queue,
// so that the caller has to route it. Needs mu.
func (q *partitionQueue) adopt(b *batch.Builder) (unheld bool) {
	q.insert(b)
	unheld = !q.active
	q.active = true
	return unheld
}

// retryIdle makes failing partitions with a leader and an empty queue usable again:
// only new records show whether they can be written to.
func (t *TopicWriter) retryIdle(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.layout.Load()
	if l.away == nil {
		return
	}
	changed := false
	for _, q := range l.queues {
		if q.failing && now.Sub(q.failed) >= retryIdleAfter && q.idle() {
			q.failing, changed = false, true
		}
	}
	if changed {
		t.replaceLayout(l.queues)
	}
}

func (q *partitionQueue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.active
}
