package offsets

import (
	"sync/atomic"
	"time"
)

// MaxSpanRecords is how many records a span may have: so few that the map of
// one span fits into the metadata however far its records lie apart.
const MaxSpanRecords = 256

// Span tracks the records of one chunk. Its memory is reused: a span belongs to
// one tracker from Admit to Retire.
//
// Expect, Done and Tallies may be used by any goroutine; a record's Expect must
// come before the results that it announces.
type Span struct {
	// Owner is the span's chunk; it does not change.
	Owner any

	first, next int64
	offsets     []int64
	done        []atomic.Uint64 // a bit for each record, set when it is settled
	left        atomic.Int32    // records that are not settled
	// more are the results that records wait for beyond the one that each
	// waits for; not looked at unless plural.
	more     []atomic.Int32
	plural   atomic.Bool
	admitted time.Time

	// Guarded by the tracker's lock.
	prev, after *Span // neighbours in the order of their offsets
	settled     bool  // retired, and kept only as a range
	cost        int
}

// Expect says that record i waits for more results than the one that every
// record waits for.
func (s *Span) Expect(i, more int) {
	s.more[i].Add(int32(more))
	s.plural.Store(true)
}

// Done takes one result of record i. settled: the record has got all of them;
// last: it was the last record of the span, which the caller must now Retire.
// Unless last, the span may be retired and reused at any moment after the
// record is settled.
func (s *Span) Done(i int) (settled, last bool) {
	t := s.Tally()
	settled = t.Done(i)
	return settled, t.End()
}

func (s *Span) isSettled(i int) bool { return s.done[i/64].Load()&(1<<(i%64)) != 0 }

// SettledBut reports whether all records are settled but those whose bits are
// set, record i's in word i/64. The caller makes sure that the span is not
// retired at the same time.
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

// Tally takes results of a span's records and tells the span of them together,
// so that what others look at is touched once for many records. It belongs to
// one goroutine, which must End it.
type Tally struct {
	span    *Span
	word    int
	bits    uint64 // of span.done[word], to be set
	settled int32
}

// Tally begins a tally.
func (s *Span) Tally() Tally { return Tally{span: s} }

// Done takes one result of record i and reports whether the record has got all of
// them. The span is not retired before the End.
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

// End tells the span. last: its last record is settled, and the caller must now
// Retire it; otherwise it may be retired and reused from now on.
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
