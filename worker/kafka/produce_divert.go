package kafka

import (
	"errors"
	"net"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// Records that may go anywhere don't wait for a partition that can't be written to.
// New ones pass it by (topicLayout); this file moves those that were queued for it
// before. A batch that was sent and may have been stored waits for the delivery
// timeout first, since moving it may write its records twice. Waiting longer would
// hold up the input for as long as the partition is away.

// retryIdleAfter is how long records pass by a failing partition that has nothing
// queued. Then some of them are to show whether it can be written to again.
const retryIdleAfter = 10 * time.Second

// divert moves the records of a queue that may go anywhere to partitions that can be
// written to. The caller holds the queue. If the result is true, the queue is empty
// and nobody holds it.
func (p *Producer) divert(q *partitionQueue) (emptied bool) {
	overdue := q.topic.passesBy(q) && q.overdue()
	if overdue {
		p.startOver(q) // may wait for the cluster, so no lock is held
	}
	d := q.topic.divert(q, overdue)
	for _, target := range d.targets {
		p.route(target, 0)
	}
	if d.moved > 0 {
		p.nudgeSenders()
		p.settledSome()
	}
	return d.emptied
}

// diversion is what a queue's records were moved to.
type diversion struct {
	moved   int               // batches
	targets []*partitionQueue // those of the queues that got some that nobody holds
	emptied bool              // nothing is left
}

// passesBy reports whether there are partitions to use in the place of q's, and counts
// for how long there were. The caller holds the queue.
func (t *TopicWriter) passesBy(q *partitionQueue) bool {
	if t.layout.Load().usable == nil {
		q.away = refusals{} // an outage, in which moving would not help
		return false
	}
	q.away.add(time.Now())
	return true
}

// overdue reports whether the first batch of the queue may have been stored, has only
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

// divert does the work of Producer.divert under the locks of all queues.
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
		stays, moves := separate(t.producer, b, overdue)
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
		q.active, q.sender, q.notBefore = false, nil, time.Time{}
	}
	return d
}

// separate divides a batch into the records that stay and those that are moved; either
// may be nil. Batches that may have been stored are moved only as a whole and if
// overdue is true: to divide them could change the order of the records that stay.
func separate(p *Producer, b *batch.Builder, overdue bool) (stays, moves *batch.Builder) {
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
	divided := b.Divide(parts, &p.builders, p.buffers)
	p.release(b)
	return divided[0], divided[1]
}

// adopt appends a batch of another queue, and reports whether the queue is to be
// routed, since nobody holds it. Needs mu.
func (q *partitionQueue) adopt(b *batch.Builder) (unheld bool) {
	q.seal()
	q.sealed = append(q.sealed, b)
	q.appended += int64(b.Count())
	unheld = !q.active
	q.active = true
	return unheld
}

// retryIdle lets records go again to partitions that have failed, have a leader and
// have nothing queued: nothing else would show that they can be written to.
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

// noteFailure notes whether b may have been stored although its request ended with
// err. It was not if the broker could not be dialled, or if it refused the batch for
// a reason that it looks at before it appends: no leader, or too few replicas. A
// request that a change of the leader ends after the append may end with any other
// error.
func noteFailure(b *batch.Builder, err error) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return
	}
	switch code, _ := errors.AsType[kafkago.Error](err); code {
	case kafkago.NotEnoughReplicas, kafkago.LeaderNotAvailable:
	default:
		b.MaybeStored = true
	}
}
