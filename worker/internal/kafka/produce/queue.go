package produce

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
)

// partitionQueue holds the records that wait to be written to one partition.
//
// Any goroutine may append to it. One goroutine at a time takes from it: a queue with
// records is active, and then exactly one sender, or the goroutine that looks for its
// leader, holds it. So a partition has at most one batch in flight and keeps its
// order, even when its leader changes.
type partitionQueue struct {
	topic     *TopicWriter
	partition int32

	mu     sync.Mutex
	open   *batch.Builder // takes records; nil if none are gathered; guarded by mu
	closed error          // the error of Append after the queue has ended; guarded by mu
	// sealed are the batches that take no more records, oldest first. The
	// first may be in flight. Guarded by mu.
	sealed []*batch.Builder
	active bool // a goroutine holds the queue; guarded by mu
	taken  bool // the first batch is in a request; guarded by mu
	// stuck says that the last attempt to write the first batch, or to find its leader, has
	// failed. Guarded by mu.
	stuck  bool
	sender *sender // of its leader, as far as is known; guarded by mu
	hint   int     // expected bytes of the next batch; guarded by mu
	// appended and settled count records since the start. Guarded by mu.
	appended, settled int64

	// leaderless says that the cluster's last answer names no leader of the partition,
	// or not the partition; failing says that the last attempt to write to it has
	// failed. Guarded by the topic's mu.
	leaderless, failing bool
	failed              time.Time // when failing became true

	// The fields below belong to the holder of the queue.
	producer  batch.Identity // under which its sequence runs
	joined    *transaction   // that the partition was made part of last, in version 1
	sequence  int32          // of the next record that is not stored
	backoff   backoff.Backoff
	notBefore time.Time // of the next attempt, after a failure
	failures  trouble.Streak
	refusals  refusals
	away      refusals        // while other partitions could be written to
	lookup    backoff.Backoff // of the search for the leader
}

// followUp is the work that an append leaves for the time after it frees the queue's lock.
type followUp struct {
	activated bool      // the queue has to be handed to a sender
	due       time.Time // when the first record is, if so
	wake      bool      // a batch may not have to wait any longer
	sender    *sender
}

// add encodes m behind the waiting records. If missing is above 0, it has done nothing:
// the budget lacks that many bytes. credit is the memory that was reserved for this
// record before.
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
	sig.wake = b.Size() < worthSending && b.Size()/worthJoining != end/worthJoining
	sig.sender = q.sender
	b.Append(m, shape, o)
	q.appended++
	return sig, 0, nil
}

// addBeyond is add for a record that would end at end, beyond the room that
// there is. Needs mu.
func (q *partitionQueue) addBeyond(m *batch.Message, o batch.Origin, end int, credit *int64) (sig followUp, missing int64, err error) {
	memory, b, limit := &q.topic.producer.memory, q.open, q.batchLimit()
	if end <= limit {
		room := batch.BufferSize(min(max(end, 2*b.Allocated()), limit))
		more := int64(room) - int64(b.Allocated())
		taken, missing := memory.reserve(more, credit)
		if missing > 0 {
			return followUp{}, missing, nil
		}
		b.Reserved += taken
		b.Grow(memory.buffers.Get(room), limit)
		return q.add(m, o, credit)
	}
	if err := q.checkSize(m); err != nil {
		return followUp{}, 0, err
	}
	q.seal()
	sig, missing, err = q.addToNew(m, o, credit)
	sig.wake, sig.sender = true, q.sender
	return sig, missing, err
}

// addToNew is add for the first record of a batch. One that is larger than
// batches are has a batch of just its size, where nothing can follow: whether it
// is too large for its topic, the broker decides. Needs mu.
func (q *partitionQueue) addToNew(m *batch.Message, o batch.Origin, credit *int64) (sig followUp, missing int64, err error) {
	if err := q.checkSize(m); err != nil {
		return followUp{}, 0, err
	}
	memory := &q.topic.producer.memory
	alone, limit := batch.SizeAlone(m), q.batchLimit()
	room := batch.BufferSize(max(min(q.hint, limit), alone))
	// More than the whole budget can't be had: such a record has all of it.
	taken, missing := memory.reserve(min(int64(room), memory.limit), credit)
	if missing > 0 {
		return followUp{}, missing, nil
	}
	q.open = memory.builders.Get()
	q.open.Reserved = taken
	q.open.Start(memory.buffers.Get(room), max(alone, limit))
	q.open.Transaction = q.topic.producer.transactions.number.Load()
	sig, missing, err = q.add(m, o, credit)
	if !q.active {
		q.active = true
		sig.activated, sig.due = true, q.open.Since().Add(q.topic.producer.linger)
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

// first returns the next batch; nil if the queue is empty. Needs mu.
func (q *partitionQueue) first() *batch.Builder {
	if len(q.sealed) > 0 {
		return q.sealed[0]
	}
	return q.open
}

// outlook is what a sender has to know about a queue that it holds.
type outlook struct {
	left  time.Duration // until the next batch is due
	held  bool          // the wait is not for more records
	size  int           // of the next batch, in bytes
	empty bool          // the records were dropped
}

// outlook returns when the next batch of the queue is due. The caller holds the queue.
func (q *partitionQueue) outlook(now time.Time, linger time.Duration) outlook {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.first()
	switch {
	case b == nil:
		return outlook{left: senderIdle, held: true, empty: true}
	case b.Transaction > q.topic.producer.transactions.sendable.Load():
		return outlook{left: senderIdle, held: true}
	case !q.notBefore.IsZero():
		return outlook{left: q.notBefore.Sub(now), held: true, size: b.Size()}
	case len(q.sealed) > 0 || b.Size() >= worthSending:
		return outlook{size: b.Size()}
	default:
		return outlook{left: b.Since().Add(linger).Sub(now), size: b.Size()}
	}
}

// take returns the next batch; it stays in the queue. It returns nil if the batch must not
// be sent any more. If the batch exceeds the topic's limit, which may have become known
// since, take divides it first. The caller holds the queue.
func (q *partitionQueue) take() *batch.Builder {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b := q.first(); b == nil || b.Transaction > q.topic.producer.transactions.sendable.Load() {
		return nil
	}
	if len(q.sealed) == 0 {
		q.seal()
	}
	q.notBefore, q.taken = time.Time{}, true
	b, memory := q.sealed[0], &q.topic.producer.memory
	if limit := q.batchLimit(); !b.Finished() && b.Size() > limit && b.Count() > 1 {
		q.sealed = slices.Replace(q.sealed, 0, 1, memory.divide(b, b.PiecesOf(limit))...)
		memory.release(b)
	}
	return q.sealed[0]
}

// takeAny returns the next batch, of whatever transaction. The caller holds the queue,
// which is not empty, and ends the batch.
func (q *partitionQueue) takeAny() *batch.Builder {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.sealed) == 0 {
		q.seal()
	}
	q.taken = true
	return q.sealed[0]
}

// firstMaybeStored reports whether the first batch may be stored.
func (q *partitionQueue) firstMaybeStored() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.maybeStored()
}

// maybeStored is firstMaybeStored under mu.
func (q *partitionQueue) maybeStored() bool { return len(q.sealed) > 0 && q.sealed[0].MaybeStored }

// putBack ends the request that the first batch was in: the batch needs another one.
func (q *partitionQueue) putBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = false
}

// setStuck notes that an attempt to write the first batch, or to find its leader, has
// failed, or that this is over.
func (q *partitionQueue) setStuck(stuck bool) {
	q.mu.Lock()
	q.taken, q.stuck = false, stuck
	q.mu.Unlock()
	if stuck {
		q.topic.producer.flusher.progressed()
	}
}

// insert adds a batch of another queue behind those of its transaction. Needs mu.
func (q *partitionQueue) insert(b *batch.Builder) {
	q.seal()
	at := len(q.sealed)
	for at > 0 && q.sealed[at-1].Transaction > b.Transaction && (at > 1 || !q.taken) {
		at--
	}
	q.sealed = slices.Insert(q.sealed, at, b)
	q.appended += int64(b.Count())
}

// batchLimit returns how many bytes a batch of several records may have.
func (q *partitionQueue) batchLimit() int {
	return min(q.topic.producer.maxBatchBytes, q.topic.limit.bytes())
}

// replace replaces the first batch, of which settled records have their outcome, by
// others. It reports whether the queue stays active. The caller holds the queue until
// replace returns false.
func (q *partitionQueue) replace(settled int, others ...*batch.Builder) (active bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settled += int64(settled)
	q.taken, q.stuck = false, false
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

// close drops the remaining records. Nobody may hold the queue any more.
func (q *partitionQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = errProducerClosed
	q.seal()
	for _, b := range q.sealed {
		q.topic.producer.memory.release(b)
	}
	q.sealed = nil
}
