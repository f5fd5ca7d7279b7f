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
// Expect and Done may be called from any goroutine; a record's Expect must come
// before the results that it announces.
type Span struct {
	first, next int64
	offsets     []int64
	missing     []atomic.Int32 // results that each record still waits for
	left        atomic.Int32   // records that are not settled
	admitted    time.Time

	// Guarded by the tracker's lock.
	prev, after *Span // neighbours in the order of their offsets
	settled     bool  // retired, and kept only as a range
	cost        int
}

// Expect says that record i waits for more results than the one that every
// record waits for.
func (s *Span) Expect(i, more int) { s.missing[i].Add(int32(more)) }

// Done takes one result of record i. settled: the record has got all of them;
// last: it was the last record of the span, which the caller must now Retire.
// Unless last, the span may be retired and reused at any moment after the
// record is settled.
func (s *Span) Done(i int) (settled, last bool) {
	if s.missing[i].Add(-1) != 0 {
		return false, false
	}
	return true, s.left.Add(-1) == 0
}

func (s *Span) isSettled(i int) bool { return s.missing[i].Load() == 0 }

func (s *Span) reset(offsets []int64, first, next int64) {
	n := len(offsets)
	s.first, s.next = first, next
	s.offsets = append(s.offsets[:0], offsets...)
	if cap(s.missing) < n {
		s.missing = make([]atomic.Int32, n)
	}
	s.missing = s.missing[:n]
	for i := range s.missing {
		s.missing[i].Store(1)
	}
	s.left.Store(int32(n))
	s.admitted = time.Now()
}
