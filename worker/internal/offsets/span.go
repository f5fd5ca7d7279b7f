package offsets

import (
	"sync/atomic"
	"time"
)

// MaxSpanRecords bounds the records of a span. The map of one span fits into the
// metadata, however far apart its records are.
const MaxSpanRecords = 256

// Span tracks the records of one chunk. A span belongs to one tracker from Admit to
// Retire; its owner may reuse it afterwards.
//
// Any goroutine may use Expect, Done and Tallies. It must call Expect for a record before
// the additional results can arrive.
type Span struct {
	// Owner is the span's chunk; it does not change.
	Owner any

	first, next int64
	offsets     []int64
	done        []atomic.Uint64 // a bit for each record, set when it is settled
	left        atomic.Int32    // unsettled records
	// more holds the number of results that each record waits for beyond its first
	// one. It counts only if plural is set.
	more     []atomic.Int32
	plural   atomic.Bool
	admitted time.Time

	// Guarded by the tracker's lock.
	prev, after *Span // neighbours in the order of their offsets
	settled     bool  // retired, but still in the list as a range
	cost        int
}

// Expect makes record i wait for more results, beyond the one that every record waits
// for.
func (s *Span) Expect(i, more int) {
	s.more[i].Add(int32(more))
	s.plural.Store(true)
}

// Done counts one result of record i. settled reports whether the record has got all of
// its results. last reports whether it was the last unsettled record of the span, which
// the caller must now Retire. If last is false, another goroutine may retire and reuse
// the span at any moment after the record is settled.
func (s *Span) Done(i int) (settled, last bool) {
	t := s.Tally()
	settled = t.Done(i)
	return settled, t.End()
}

func (s *Span) isSettled(i int) bool { return s.done[i/64].Load()&(1<<(i%64)) != 0 }

// SettledBut reports whether all records are settled except those whose bits are set.
// Record i's bit is in word i/64. The caller makes sure that nobody retires the span at
// the same time.
func (s *Span) SettledBut(bits *[MaxSpanRecords / 64]uint64) bool {
	for w := range s.done {
		records := min(len(s.offsets)-64*w, 64)
		all := ^uint64(0) >> (64 - records)
		if all&^(s.done[w].Load()|bits[w]) != 0 {
			return false
		}
	}
	return true
}

// Settled reports whether record i is settled.
func (s *Span) Settled(i int) bool { return s.isSettled(i) }

func (s *Span) reset(offsets []int64, first, next int64) {
	n := len(offsets)
	s.first, s.next = first, next
	s.offsets = append(s.offsets[:0], offsets...)
	if s.plural.Load() {
		clear(s.more[:cap(s.more)])
		s.plural.Store(false)
	}
	if cap(s.more) < n {
		s.more, s.done = make([]atomic.Int32, n), make([]atomic.Uint64, (n+63)/64)
	}
	s.more, s.done = s.more[:n], s.done[:(n+63)/64]
	for i := range s.done {
		s.done[i].Store(0)
	}
	s.left.Store(int32(n))
	s.admitted = time.Now()
}

// Tally collects results of a span's records and passes them to the span together, so
// that it touches the memory shared with other goroutines once for many records. It
// belongs to one goroutine, which must End it.
type Tally struct {
	span    *Span
	word    int
	bits    uint64 // bits to set in span.done[word]
	settled int32
}

// Tally begins a tally.
func (s *Span) Tally() Tally { return Tally{span: s} }

// Done counts one result of record i and reports whether the record has got all of its
// results. Nobody retires the span before End.
func (t *Tally) Done(i int) (settled bool) {
	s := t.span
	if s.plural.Load() && s.more[i].Add(-1) >= 0 {
		return false
	}
	if word := i / 64; word != t.word {
		t.flush()
		t.word = word
	}
	t.bits |= 1 << (i % 64)
	t.settled++
	return true
}

// End passes the results to the span. last reports whether all records of the span are
// settled; then the caller must Retire it. Otherwise another goroutine may retire and
// reuse the span from now on.
func (t *Tally) End() (last bool) {
	if t.settled == 0 {
		return false
	}
	t.flush()
	return t.span.left.Add(-t.settled) == 0
}

func (t *Tally) flush() {
	if t.bits != 0 {
		t.span.done[t.word].Or(t.bits)
		t.bits = 0
	}
}
