package produce

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// FlushCut returns when every record that was appended before the last Cut has its
// outcome, or is postponed to the next transaction: then exactly the acknowledged records
// are in the transaction that ends. It returns an error if the transaction is doomed.
//
// Batches are postponed if their partition has no leader or fails, or if its broker throttles
// the Producer, so that it holds up no others, and if it is certain that no broker has stored
// them. A batch with joint records
// is never postponed: the other records of its inputs may be stored.
func (p *Producer) FlushCut(ctx context.Context) error { return p.flusher.flushCut(ctx) }

func (f *flusher) flushCut(ctx context.Context) error {
	ts := &f.p.transactions
	tx := ts.current.Load()
	if tx == nil {
		return errNoTransaction
	}
	f.waiting.Add(1)
	defer f.waiting.Add(-1)
	moves := f.p.moves.Load()
	pending := slices.Collect(f.p.directory.queues)
	for {
		// Taken first, so that nothing that happens later is missed.
		progress := f.nextProgress()
		if err := ts.failure(tx); err != nil {
			return err
		}
		if now := f.p.moves.Load(); now != moves {
			// Some of the records may be in other queues now.
			moves = now
			pending = slices.Collect(f.p.directory.queues)
		}
		pending = slices.DeleteFunc(pending, func(q *partitionQueue) bool { return q.flushOrPostpone(tx.number) })
		if f.p.moves.Load() != moves {
			continue
		}
		if len(pending) == 0 {
			return ts.failure(tx)
		}
		select {
		case <-progress:
		case <-f.p.tasks.ctx.Done():
			return errProducerClosed
		case <-ctx.Done():
			return fmt.Errorf("wait for the records of %d partitions to be written: %w", len(pending), ctx.Err())
		}
	}
}

// flushOrPostpone reports whether the queue has no batch up to a transaction. If the
// partition is in trouble, it postpones what it may first.
func (q *partitionQueue) flushOrPostpone(cut uint64) bool {
	if q.flushed(cut) {
		return true
	}
	if q.inTrouble() {
		q.postpone(cut)
	}
	return q.flushed(cut)
}

// flushed reports whether the queue has no batch up to a transaction. It ends the open
// batch if that is one.
func (q *partitionQueue) flushed(cut uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open != nil && q.open.Transaction <= cut {
		q.seal()
	}
	return len(q.sealed) == 0 || q.sealed[0].Transaction > cut
}

// longQuiet is the time for which a broker may throttle the Producer before the end of a
// transaction does not wait for it.
const longQuiet = 50 * time.Millisecond

// inTrouble reports whether the records of the queue wait for their partition to recover, or
// for a broker that throttles the Producer.
func (q *partitionQueue) inTrouble() bool {
	q.topic.mu.Lock()
	leaderless := q.leaderless
	q.topic.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	return leaderless || q.stuck || q.sender != nil && q.sender.quiet(time.Now()) > longQuiet
}

// postpone moves batches up to a transaction to the present one: the last ones, as far as
// all of them may be moved.
func (q *partitionQueue) postpone(cut uint64) {
	next := q.topic.producer.transactions.number.Load()
	q.mu.Lock()
	defer q.mu.Unlock()
	end := len(q.sealed)
	for end > 0 && q.sealed[end-1].Transaction > cut {
		end--
	}
	for i := end - 1; i >= 0; i-- {
		b := q.sealed[i]
		if i == 0 && q.taken || b.MaybeStored || b.Joint() > 0 {
			return
		}
		b.Transaction = next
		b.Reopen()
	}
}
