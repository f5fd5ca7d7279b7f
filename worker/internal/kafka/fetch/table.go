package fetch

import (
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// cursorTable holds the started partitions and the brokers that lead them. One lock
// guards all of it, since a response changes many cursors and their brokers together.
type cursorTable struct {
	unrouted signal.Signal // wakes the router

	mu      sync.Mutex
	cursors map[int32]*cursor // by partition; guarded by mu, entries too
	brokers map[int32]*leader // by id, kept for good; guarded by mu, entries too
	epochs  uint64            // guarded by mu
	served  uint64            // counts sets with records, for fairness; guarded by mu
	closed  bool              // guarded by mu
}

func newCursorTable() *cursorTable {
	return &cursorTable{
		unrouted: signal.New(),
		cursors:  make(map[int32]*cursor),
		brokers:  make(map[int32]*leader),
	}
}

// start replaces a partition's cursor by one at a position.
func (t *cursorTable) start(partition int32, at Position, account *batch.Account) (epoch uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(t.cursors[partition])
	t.epochs++
	if !t.closed {
		t.cursors[partition] = newCursor(partition, t.epochs, at, account)
		t.unrouted.Notify()
	}
	return t.epochs
}

// started returns how many partitions are started.
func (t *cursorTable) started() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.cursors)
}

// drop ends a cursor; nil is allowed. Needs mu.
func (t *cursorTable) drop(c *cursor) {
	if c == nil {
		return
	}
	c.dropped = true
	delete(t.cursors, c.partition)
	t.detach(c)
	if r := c.request; r != nil {
		c.request = nil
		if r.live--; r.live == 0 {
			// Nobody reads the response: don't keep a connection and the broker's
			// purgatory busy with it.
			r.cancel()
		}
	}
}

// detach takes a cursor from its broker. Needs mu.
func (t *cursorTable) detach(c *cursor) {
	b := c.broker
	if b == nil {
		return
	}
	c.broker = nil
	b.remove(c)
	b.changed.Broadcast()
}

// reroute takes a cursor from its broker and makes the router look for the leader
// after wait. Needs mu.
func (t *cursorTable) reroute(c *cursor, wait time.Duration) {
	t.detach(c)
	c.end = -1
	c.retryAt = time.Now().Add(wait)
	t.unrouted.Notify()
}

// withoutBroker returns the cursors whose leader is to be looked up now. If there are
// none, wait is the time until there are some; 0 is never.
func (t *cursorTable) withoutBroker(now time.Time) (due []*cursor, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.cursors {
		if c.broker != nil || c.halted {
			continue
		}
		left := c.retryAt.Sub(now)
		if left <= 0 {
			due = append(due, c)
		} else if wait == 0 || left < wait {
			wait = left
		}
	}
	return due, wait
}

// wakePollers makes all pollers look again for something to ask for.
func (t *cursorTable) wakePollers() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.brokers {
		b.changed.Broadcast()
	}
}

// close drops all cursors and keeps new ones from starting.
func (t *cursorTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, c := range t.cursors {
		t.drop(c)
	}
}
