package kafka

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// memoryWait is how long a lane that found no memory waits before it looks again. It
// is woken when memory is freed; the wait is for a wake-up that it has missed.
const memoryWait = 20 * time.Millisecond

// heldBytes bounds the answer to a request that the broker holds because it has no
// data yet, so that such requests leave memory to the others.
const heldBytes = 1 << 20

// account returns a partition's account. Needs mu.
func (f *Fetcher) account(partition int32) *batch.Account {
	a := f.accounts[partition]
	if a == nil {
		a = batch.NewAccount(f.pool)
		f.accounts[partition] = a
	}
	return a
}

// Disown stops counting the memory that a partition holds when it is given up, since
// it may never be released. Later fetches of the partition are counted again.
func (f *Fetcher) Disown(partition int32) {
	f.mu.Lock()
	a := f.accounts[partition]
	delete(f.accounts, partition)
	f.mu.Unlock()
	if a != nil {
		a.Close()
	}
}

// memoryFreed lets the lanes look again.
func (f *Fetcher) memoryFreed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.brokers {
		b.changed.Broadcast()
	}
}

// affordable returns the cursors that have data to ask for and memory for it. If no
// memory is free, it returns those that hold none, but for records that wait for
// another attempt, and beyond is true: one log batch may be fetched for them. Needs mu.
func (l *lane) affordable() (cursors []*cursor, beyond bool) {
	f := l.broker.f
	room, short := f.budget.FetchRoom(), false
	for _, c := range l.broker.cursors {
		if !c.ready() {
			continue
		}
		if need := c.needs(); need <= room && need <= f.budget.FetchShare(c.account, len(f.cursors)) {
			cursors = append(cursors, c)
		} else {
			short = true
		}
	}
	if !short {
		return cursors, false
	}
	f.budget.Starve()
	if len(cursors) > 0 || l.broker.beyond() || !f.budget.MayExceed() {
		return cursors, false
	}
	for _, c := range l.broker.cursors {
		if c.ready() && !c.account.InWork() {
			cursors = append(cursors, c)
		}
	}
	return cursors, len(cursors) > 0
}

// needs returns how many bytes an answer about the partition takes at least.
func (c *cursor) needs() int64 { return max(c.account.Batch, int64(c.limit), minPartitionBytes) }

// beyond reports whether a request beyond the budget is under way. Needs mu.
func (b *fetchBroker) beyond() bool {
	for _, l := range []*lane{&b.first, &b.second} {
		if l.request != nil && l.request.beyond {
			return true
		}
	}
	return false
}

// reserve sets how much the answer to r may bring, and takes it from the budget.
// Needs mu.
func (l *lane) reserve(r *laneRequest) {
	f, m := l.broker.f, r.message
	if r.beyond {
		// Other partitions may need it soon.
		m.maxBytes, m.maxWait = minPartitionBytes, min(m.maxWait, joinWait)
	} else {
		// The other lanes need some as well.
		m.maxBytes = int32(min(int64(m.maxBytes), max(f.budget.FetchRoom()/2, minPartitionBytes)))
		if r.held {
			m.maxBytes = min(m.maxBytes, heldBytes)
		}
	}
	r.reserved = min(int64(m.maxBytes), int64(len(r.cursors))*int64(f.cfg.MaxPartitionBytes))
	for _, c := range r.cursors {
		m.maxBytes = max(m.maxBytes, c.limit)
		r.reserved = max(r.reserved, c.needs())
	}
	f.budget.Reserve(r.reserved)
}

// MayUnpack reports whether there is memory to unpack more of a partition, which takes
// need bytes (Set.Needs). lone says that nothing of the partition is in flight. Then, or if it holds little
// unpacked, it may unpack one log batch even if no memory is free, unless another
// partition has just done so. After false, call it again when batches are released,
// and after ExceedFor.
func (f *Fetcher) MayUnpack(partition int32, need int, lone bool) bool {
	if f.budget.HasRoom(need) {
		return true // a short cut, since this is the usual case
	}
	f.mu.Lock()
	a, n := f.account(partition), len(f.cursors)
	f.mu.Unlock()
	return f.budget.MayUnpack(a, int64(need), n, lone)
}

// Short reports whether so little memory is left that reading may have to wait.
func (f *Fetcher) Short() bool { return f.budget.Short() }

// Memory returns the bytes of all records that are fetched and not released, packed
// or unpacked.
func (f *Fetcher) Memory() int64 { return f.pool.Used() }
