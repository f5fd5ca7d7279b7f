package engine

import (
	"math"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// room returns how many records and bytes may be decoded for a partition now;
// no records means none.
//
// So that decoding doesn't degrade to a record at a time while the pool works
// off a partition's share, it goes on only when an eighth of that is free. A
// single record may be larger than what is left: it is let through alone.
func (m *member) room(p *partition) (records, bytes int) {
	if records, bytes = m.free(p); records > 0 {
		return records, bytes
	}
	// Looked at again after blocked is set: what settled before that did not
	// wake the feeder, what settles later will.
	m.blocked.Store(true)
	return m.free(p)
}

func (m *member) free(p *partition) (records, bytes int) {
	if !p.tracker.Room() || m.awaitsCommit(p) {
		return 0, 0
	}
	ofRecords, ofBytes := m.bounds()
	freeRecords, freeBytes := ofRecords.free(p.records.Load()), ofBytes.free(p.bytes.Load())
	if p.records.Load() > 0 && (freeRecords == 0 || freeBytes == 0) {
		return 0, 0
	}
	return int(max(freeRecords, 1)), int(min(max(freeBytes, 1), math.MaxInt32))
}

// bounds returns how the member's bounds are shared at the moment.
func (m *member) bounds() (records, bytes bound) {
	limits := m.e.cfg.InFlight
	records, bytes = newBound(int64(limits.Records), len(m.parts)), newBound(int64(limits.Bytes), len(m.parts))
	for _, part := range m.parts {
		records.use(part.records.Load())
		bytes.use(part.bytes.Load())
	}
	return records, bytes
}

// bound is a limit on what is in flight, and how it is shared. A quarter of it is
// split evenly: each partition's own, so that none ever waits for records of
// others that are stuck. The rest is lent to whoever has something to read, of
// which there are often few: each may hold as much of it as it leaves free
// (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
// switches", 1998). So even one that takes all it can get leaves half.
type bound struct {
	own  int64 // of each partition
	left int64 // of what is lent
}

func newBound(limit int64, parts int) bound {
	own := limit / int64(4*parts)
	return bound{own: own, left: limit - own*int64(parts)}
}

// use counts what a partition has in flight.
func (b *bound) use(n int64) { b.left -= b.borrowed(n) }

func (b *bound) borrowed(n int64) int64 { return max(n-b.own, 0) }

// free returns how much more a partition may have that has n in flight; 0 also if
// it is less than an eighth of what it may have.
func (b *bound) free(n int64) int64 {
	free := max(b.own-n, 0) + max((b.left-b.borrowed(n))/2, 0)
	if free < (n+free+7)/8 {
		return 0
	}
	return free
}

// mayUnpack reports whether there is memory to decode on. Decoding takes none while
// the set has unpacked or uncompressed records left.
func (m *member) mayUnpack(p *partition) bool {
	may := func() bool {
		need := p.set.Needs()
		return need == 0 || m.fetcher.MayUnpack(p.id, need, p.records.Load() == 0)
	}
	if may() {
		return true
	}
	// Checked again after blocked is set, as in room. Settled records wake the
	// feeder; the timer covers memory that is freed in other ways.
	m.blocked.Store(true)
	p.set.Trim()
	if may() {
		return true
	}
	m.lookSoon()
	return false
}

// lookSoon wakes the feeder after kafka.ExceedFor.
func (m *member) lookSoon() {
	if m.look == nil {
		m.look = time.AfterFunc(batch.ExceedFor, m.wakeFeeder)
		return
	}
	m.look.Reset(batch.ExceedFor)
}

// maxUncommitted bounds, in offsets, how far a partition is read beyond its
// committed offset. So a crash leaves at most that much to search for the
// record that caused it, and duplicates stay bounded when commits fail.
const maxUncommitted = 1 << 17

func (m *member) awaitsCommit(p *partition) bool {
	return p.tracker.Position()-p.commit.committed.Load() >= maxUncommitted && !p.foreign.Load()
}

// nudgeCommit makes the committer hurry when a partition gets far ahead.
func (m *member) nudgeCommit(p *partition, next int64) {
	if next-p.commit.committed.Load() >= maxUncommitted/2 {
		m.commitSoon()
	}
}
