package kafka

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// partitionQueue is what waits to be written to one partition.
//
// Any goroutine may append to it. What leaves it is up to one goroutine at a
// time: while anything is in it, it is active, and then exactly one sender, or
// the goroutine that looks for its leader, holds it. So a partition has one
// batch in flight at most and keeps its order, whatever becomes of its leader.
type partitionQueue struct {
	topic     *TopicWriter
	partition int32

	mu     sync.Mutex
	open   *batch.Builder // takes records; nil if none are gathered; guarded by mu
	closed error          // why nothing may be appended any more; guarded by mu
	// sealed are the batches that take no more records, oldest first. The
	// first may be in flight. Guarded by mu.
	sealed []*batch.Builder
	active bool    // someone holds the queue; guarded by mu
	sender *sender // of its leader, as far as is known; guarded by mu
	hint   int     // bytes that the next batch may well get; guarded by mu
	// appended and settled count records since the start. Guarded by mu.
	appended, settled int64

	// leaderless says that the partition had no leader, or was not named, when
	// the cluster was asked last; failing, that the last attempt to write to it
	// has failed. Guarded by the topic's mu.
	leaderless, failing bool
	failed              time.Time // when failing became true

	// The rest belongs to who holds the queue.
	producer  batch.Identity // under which its sequence runs
	sequence  int32          // of the next record that is not stored
	backoff   backoff.Backoff
	notBefore time.Time // of the next attempt, after a failure
	trouble   writeTrouble
	refusals  refusals
	away      refusals        // while other partitions could be written to
	lookup    backoff.Backoff // of the search for the leader
}

// followUp is the work that an append leaves for the time after it frees the queue's lock.
type followUp struct {
	activated bool      // the queue has to be handed to a sender
	due       time.Time // when the first record is, if so
	nudge     bool      // a batch may not have to wait any longer
	sender    *sender
}

// add encodes m behind what waits. A result of missing above 0 says that nothing
// was done, since as many bytes were missing of the budget; credit is what was
// reserved of it for this record before.
func (q *partitionQueue) add(m *batch.Message, o batch.Origin, credit *int64) (sig followUp, missing int64, err error) {
	if q.closed != nil {
		return followUp{}, 0, q.closed
	}
	b := q.open
	if b == nil {
		return q.addToNew(m, o, credit)
	}
	shape := b.Measure(m)
	end := b.Size() + shape.Size()
	if end > b.Room() {
		return q.addBeyond(m, o, end, credit)
	}
	sig.nudge = b.Size() < worthSending && b.Size()/worthJoining != end/worthJoining
	sig.sender = q.sender
	b.Append(m, shape, o)
	q.appended++
	return sig, 0, nil
}

// addBeyond is add for a record that would end at end, beyond the room that
// there is. Needs mu.
func (q *partitionQueue) addBeyond(m *batch.Message, o batch.Origin, end int, credit *int64) (sig followUp, missing int64, err error) {
	p, b, limit := q.topic.producer, q.open, q.batchLimit()
	if end <= limit {
		room := batch.BufferSize(min(max(end, 2*b.Allocated()), limit))
		more := int64(room) - int64(b.Allocated())
		taken, missing := p.reserve(more, credit)
		if missing > 0 {
			return followUp{}, missing, nil
		}
		b.Reserved += taken
		b.Grow(p.buffers.Get(room), limit)
		return q.add(m, o, credit)
	}
	if err := q.checkSize(m); err != nil {
		return followUp{}, 0, err
	}
	q.seal()
	sig, missing, err = q.addToNew(m, o, credit)
	sig.nudge, sig.sender = true, q.sender
	return sig, missing, err
}

// addToNew is add for the first record of a batch. One that is larger than
// batches are has a batch of just its size, where nothing can follow: whether it
// is too large for its topic is for the broker to say. Needs mu.
func (q *partitionQueue) addToNew(m *batch.Message, o batch.Origin, credit *int64) (sig followUp, missing int64, err error) {
	if err := q.checkSize(m); err != nil {
		return followUp{}, 0, err
	}
	p := q.topic.producer
	alone, limit := batch.SizeAlone(m), q.batchLimit()
	room := batch.BufferSize(max(min(q.hint, limit), alone))
	// More than the whole budget can't be had: such a record has all of it.
	taken, missing := p.reserve(min(int64(room), p.maxBufferedBytes), credit)
	if missing > 0 {
		return followUp{}, missing, nil
	}
	q.open = p.builders.Get()
	q.open.Reserved = taken
	q.open.Start(p.buffers.Get(room), max(alone, limit))
	sig, missing, err = q.add(m, o, credit)
	if !q.active {
		q.active = true
		sig.activated, sig.due = true, q.open.Since().Add(p.linger)
	}
	return sig, missing, err
}

func (q *partitionQueue) checkSize(m *batch.Message) error {
	if size := batch.SizeAlone(m); size > maxRecordBytes {
		return fmt.Errorf("record of %d bytes for topic %q, partition %d: %w: a request to a broker holds %d bytes",
			size, q.topic.name, q.partition, ErrTooLarge, maxRecordBytes)
	}
	return nil
}

// seal ends the open batch, if there is one. Needs mu.
func (q *partitionQueue) seal() {
	if q.open != nil {
		q.hint = max(min(q.open.Size(), q.batchLimit()), q.hint-q.hint/4)
		q.sealed = append(q.sealed, q.open)
		q.open = nil
	}
}

// outlook returns how long the queue need not be sent from yet, whether that is
// because of a failure, and the bytes of the batch that is next. The caller
// holds the queue.
func (q *partitionQueue) outlook(now time.Time, linger time.Duration) (left time.Duration, failed bool, size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.sealed) > 0 {
		size = q.sealed[0].Size()
	} else {
		size = q.open.Size()
	}
	switch {
	case !q.notBefore.IsZero():
		return q.notBefore.Sub(now), true, size
	case len(q.sealed) > 0 || size >= worthSending:
		return 0, false, size
	default:
		return q.open.Since().Add(linger).Sub(now), false, size
	}
}

// take returns the batch that is next; it stays in the queue. One that was
// gathered before the topic's limit was known is cut to it first. The caller
// holds the queue.
func (q *partitionQueue) take() *batch.Builder {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.sealed) == 0 {
		q.seal()
	}
	q.notBefore = time.Time{}
	b, p := q.sealed[0], q.topic.producer
	if limit := q.batchLimit(); !b.Finished() && b.Size() > limit && b.Count() > 1 {
		q.sealed = slices.Replace(q.sealed, 0, 1, b.Divide(b.PiecesOf(limit), &p.builders, p.buffers)...)
		p.release(b)
	}
	return q.sealed[0]
}

// batchLimit returns how many bytes a batch of several records may have.
func (q *partitionQueue) batchLimit() int {
	return min(q.topic.producer.maxBatchBytes, q.topic.limit.bytes())
}

// replace puts others in the place of the first batch, which is gone with
// settled of its records, and reports whether the queue goes on being active. The
// caller holds the queue, until the result is false.
func (q *partitionQueue) replace(settled int, others ...*batch.Builder) (active bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settled += int64(settled)
	q.sealed = slices.Replace(q.sealed, 0, 1, others...)
	q.active = len(q.sealed) > 0 || q.open != nil
	return q.active
}

// buffered returns the records that are not settled, and their bytes.
func (q *partitionQueue) buffered() (records int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.sealed {
		bytes += int64(b.Size())
	}
	if q.open != nil {
		bytes += int64(q.open.Size())
	}
	return int(q.appended - q.settled), bytes
}

// close drops what is left. Nobody may hold the queue any more.
func (q *partitionQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = errProducerClosed
	q.seal()
	for _, b := range q.sealed {
		q.topic.producer.release(b)
	}
	q.sealed = nil
}
