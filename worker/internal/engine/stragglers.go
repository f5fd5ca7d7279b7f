package engine

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// A record that waits for another attempt would keep all fetched data around it in
// memory. So when all other records of its chunk are settled, it is copied, and
// the chunk gives up the memory that it borrows. The pool reports when a record
// waits; until its next attempt only the pool reads it, under the pool's lock. An
// attempt that begins takes the lock under which the record is copied.

// stragglers are a partition's chunks with records that wait for another attempt.
type stragglers struct {
	mu     sync.Mutex
	chunks map[*chunk]*straggler // guarded by mu, entries too
}

// straggler holds the state of one such chunk's records.
type straggler struct {
	waiting bitmap // records that no attempt reads at the moment
	waited  bitmap // those that have waited since the last sweep
	copied  bitmap // records that have been copied
	copies  map[int]*batch.Copy
}

// bitmap has a bit for each record of a chunk.
type bitmap [offsets.MaxSpanRecords / 64]uint64

func (b *bitmap) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b *bitmap) clear(i int)    { b[i/64] &^= 1 << (i % 64) }
func (b *bitmap) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// straggles notes that record i waits for another attempt. That attempt must begin by
// calling resumes.
func (c *chunk) straggles(i int) {
	if c.Leaked() {
		return // an attempt that never returned may still read it
	}
	s := &c.part.stragglers
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chunks == nil {
		s.chunks = make(map[*chunk]*straggler)
	}
	if s.chunks[c] == nil {
		s.chunks[c] = &straggler{}
		c.straggler.Store(true)
	}
	s.chunks[c].waiting.set(i)
}

// resumes notes that an attempt of record i begins.
func (c *chunk) resumes(i int) {
	if !c.straggler.Load() {
		return
	}
	s := &c.part.stragglers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chunks[c].waiting.clear(i)
	s.chunks[c].waited.clear(i)
}

// caughtUp forgets a chunk whose records are all settled.
func (c *chunk) caughtUp() {
	if !c.straggler.Load() {
		return
	}
	s := &c.part.stragglers
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, copied := range s.chunks[c].copies {
		copied.Release()
	}
	delete(s.chunks, c)
	c.straggler.Store(false)
}

// abandon gives up the memory of chunks whose partition was given up, and that of
// all copies. The entries stay, for attempts that are under way.
func (s *stragglers) abandon(chunks []*chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.chunks {
		for _, copied := range st.copies {
			copied.Release()
		}
		st.copies = nil
	}
	for _, c := range chunks {
		c.batch.Abandon()
	}
}

// sweepRegularly frees memory that only stragglers use: each second, and more often
// while memory is short.
func (m *member) sweepRegularly(ctx context.Context) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if short := m.fetcher.Short(); short || n%10 == 0 {
			for _, p := range m.roster.partitions() {
				if p.stragglers.sweep(m.pool, short) {
					m.mail.wake.Notify()
				}
			}
		}
	}
}

// sweep frees memory that only stragglers use, and reports whether it found any. It
// copies records that have waited since the last sweep, or all that wait if memory is
// short. The pool reads keys of waiting records under its lock, so Still holds that.
func (s *stragglers) sweep(pool *dispatch.Pool, short bool) (freed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, st := range s.chunks {
		st.dropSettled(c)
		if short {
			st.waited = st.waiting
		}
		if c.batch.Borrowed() > 0 && !c.Leaked() && st.covers(c) {
			pool.Still(func() { st.copyOut(c) })
			freed = true
		}
		st.waited = st.waiting
	}
	return freed
}

// covers reports whether every unsettled record of the chunk has waited or has been
// copied.
func (st *straggler) covers(c *chunk) bool {
	still := [offsets.MaxSpanRecords / 64]uint64(st.copied)
	for w := range still {
		still[w] |= st.waited[w]
	}
	return c.span.SettledBut(&still)
}

// copyOut copies the records that wait, and gives up the memory that the chunk borrows.
func (st *straggler) copyOut(c *chunk) {
	for i := range c.Records {
		if st.waited.has(i) && !st.copied.has(i) && !c.span.Settled(i) {
			if st.copies == nil {
				st.copies = make(map[int]*batch.Copy)
			}
			st.copies[i] = c.batch.Detach(&c.Records[i])
			st.copied.set(i)
		}
	}
	// The chunk's records are the first ones of its batch.
	c.batch.Loosen(func(i int) bool { return i < len(c.Records) && !c.span.Settled(i) })
}

// dropSettled frees the copies of records that are settled.
func (st *straggler) dropSettled(c *chunk) {
	for i, copied := range st.copies {
		if c.span.Settled(i) {
			copied.Release()
			delete(st.copies, i)
		}
	}
}
