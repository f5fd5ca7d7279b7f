package produce

import (
	"context"
	"time"
)

// Reset drops all records of a transactional Producer, queued or in flight: OnAck never
// gets their origins. It waits until no request is in flight and no call of OnAck runs,
// so the caller must not hold what OnAck waits for. Nothing is sent until Resume. Calls
// of Append that wait for memory go on.
//
// Requests that were in flight may still be stored. They belong to a transaction that
// only a new identity for the same transactional id ends for certain.
func (p *Producer) Reset() {
	ts := &p.transactions
	ts.end()
	ts.working.Lock()
	ts.number.Add(1)
	for _, t := range *p.directory.writers.Load() {
		t.drop()
	}
	ts.begin()
	ts.working.Unlock()
	p.flusher.progressed()
	p.senders.wakeAll()
}

// end gives up the present transaction and cancels its requests.
func (ts *transactions) end() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if tx := ts.current.Load(); tx != nil {
		ts.spent = tx.identity
	}
	ts.sendable.Store(0)
	ts.current.Store(nil)
	ts.cancel()
}

// begin allows requests again.
func (ts *transactions) begin() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.sent.Store(0)
	ts.p.memory.setUnbounded(false)
	ts.ctx, ts.cancel = context.WithCancel(ts.p.tasks.ctx)
}

// drop drops the records of the topic. The locks keep it from missing a batch that
// moves from one queue to another.
func (t *TopicWriter) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.layout.Load().queues {
		q.drop()
	}
}

// drop drops the records of the queue. The goroutine that holds it, if any, finds it
// empty and gives it up.
func (q *partitionQueue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seal()
	for _, b := range q.sealed {
		q.topic.producer.memory.release(b)
	}
	q.sealed, q.stuck = nil, false
	q.settled = q.appended
}

// giveUpEmpty ends the hold on the queue if Reset has emptied it, and reports whether it
// did. The caller holds the queue.
func (q *partitionQueue) giveUpEmpty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first() != nil {
		return false
	}
	q.active, q.stuck, q.notBefore = false, false, time.Time{}
	return true
}
