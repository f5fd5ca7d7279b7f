package kafka

import "time"

// memoryWait is how long a lane that found no memory waits before it looks
// again. It is told when memory is freed; that is for what it may have missed.
const memoryWait = 20 * time.Millisecond

// heldBytes bounds the answer to a request that the broker holds because it has
// nothing yet, so that such requests do not keep the memory from the others.
const heldBytes = 1 << 20

// account returns a partition's account. Needs mu.
func (f *Fetcher) account(partition int32) *account {
	a := f.accounts[partition]
	if a == nil {
		a = &account{pool: f.pool}
		f.accounts[partition] = a
	}
	return a
}

// Disown forgets what a partition holds that was given up: nobody may be left to
// release it. What is fetched of the partition later is counted again.
func (f *Fetcher) Disown(partition int32) {
	f.mu.Lock()
	a := f.accounts[partition]
	delete(f.accounts, partition)
	f.mu.Unlock()
	if a != nil {
		a.close()
		f.budget.freed()
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

// affordable returns the cursors that may be asked for and that there is memory
// for. If there is none, it returns those that hold none at all, and beyond: one
// log batch may be fetched for them. Needs mu.
func (l *lane) affordable() (cursors []*cursor, beyond bool) {
	f := l.broker.f
	room, short := f.budget.toFetch(), false
	for _, c := range l.broker.cursors {
		if !c.ready() {
			continue
		}
		if need := c.needs(); need <= room && need <= f.budget.share(c.account, len(f.cursors)) {
			cursors = append(cursors, c)
		} else {
			short = true
		}
	}
	if !short {
		return cursors, false
	}
	f.budget.starved.Store(true)
	if len(cursors) > 0 || l.broker.beyond() || !f.budget.mayExceed() {
		return cursors, false
	}
	for _, c := range l.broker.cursors {
		if c.ready() && c.account.held.Load() == 0 {
			cursors = append(cursors, c)
		}
	}
	return cursors, len(cursors) > 0
}

// needs returns how many bytes an answer about the partition takes at least.
func (c *cursor) needs() int64 { return max(c.account.batch, int64(c.limit), minPartitionBytes) }

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
		// Somebody else may need it soon.
		m.maxBytes, m.maxWait = minPartitionBytes, min(m.maxWait, joinWait)
	} else {
		// The other lanes need some as well.
		m.maxBytes = int32(min(int64(m.maxBytes), max(f.budget.toFetch()/2, minPartitionBytes)))
		if r.held {
			m.maxBytes = min(m.maxBytes, heldBytes)
		}
	}
	r.reserved = min(int64(m.maxBytes), int64(len(r.cursors))*int64(f.cfg.MaxPartitionBytes))
	for _, c := range r.cursors {
		m.maxBytes = max(m.maxBytes, c.limit)
		r.reserved = max(r.reserved, c.needs())
	}
	f.budget.reserved.Add(r.reserved)
}

// MayUnpack reports whether there is memory to unpack more of a partition. lone
// says that nothing of it is in work: then, or if that is little, it may take one
// log batch even if there is none, unless another partition has just done so. After a false it is
// to be asked again when batches are released, and after ExceedFor.
func (f *Fetcher) MayUnpack(partition int32, lone bool) bool {
	if f.budget.pool.used.Load() <= f.budget.limit/encodedShare {
		return true // or it would be asked for each chunk
	}
	f.mu.Lock()
	a, n := f.account(partition), len(f.cursors)
	f.mu.Unlock()
	return f.budget.unpacks(a, n, lone)
}

// Short reports whether there is so little memory left that reading may have to
// wait for some.
func (f *Fetcher) Short() bool { return f.budget.starved.Load() || f.budget.free() < f.budget.limit/4 }

// Memory returns how many bytes the records take that were fetched and not
// released, packed and unpacked.
func (f *Fetcher) Memory() int64 { return f.pool.used.Load() }
