package offsets

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Tracker knows which records are settled in one assignment of a partition. It is safe
// for concurrent use.
type Tracker struct {
	mu sync.Mutex // guards all other fields

	// head and tail are the ends of the list of spans from the watermark to the
	// position, in order and without gaps. Settled spans that touch are joined, so
	// there are at most as many settled ones as unsettled ones, and one more.
	head, tail *Span
	watermark  int64 // the start of head
	position   int64 // the end of tail
	cost       int   // the most bytes that the unsettled spans can take in the map
	maxMap     int   // the bound for cost and resumedCost together, in bytes

	resumed     []Range // offsets above the position that were settled before a restart
	resumedCost int     // the bytes that resumed takes in the map
	origin      Origin  // constant
	marks       Marks
}

// New returns a tracker for a partition that the worker reads from position on. resume
// is the decoded metadata of its committed offset.
func New(position int64, resume State) *Tracker {
	t := &Tracker{watermark: position, position: position, maxMap: mapBound(MaxMetadata), resumed: resume.Settled, origin: resume.Origin}
	t.passResumed()
	return t
}

// Resuming reports whether Resumed can be true for any record still to come.
func (t *Tracker) Resuming() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.resumed) > 0
}

// Resumed reports whether a record above the position was settled before the restart, so
// that the worker must not process it again.
func (t *Tracker) Resumed(offset int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := slices.BinarySearchFunc(t.resumed, offset, func(r Range, offset int64) int {
		return cmp.Compare(r.Next, offset+1) // finds the first range that ends after offset
	})
	return i < len(t.resumed) && offset >= t.resumed[i].First
}

// ResumedWithin returns how many of the offsets from first up to next were settled
// before the restart.
func (t *Tracker) ResumedWithin(first, next int64) (n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.resumed {
		n += max(min(r.Next, next)-max(r.First, first), 0)
	}
	return n
}

// Room reports whether a span of MaxSpanRecords successive offsets Fits. As long as it
// does not, the worker need not decode more of the partition.
func (t *Tracker) Room() bool { return t.fits(spanCost(MaxSpanRecords, MaxSpanRecords)) }

// Fits reports whether the map stays within its bound, in whatever order records settle,
// if Admit enters a span of these records. A span that does not fit must wait until
// others are retired. A first span of at most MaxSpanRecords always fits.
func (t *Tracker) Fits(offsets []int64) bool {
	n := len(offsets)
	return n == 0 || n <= MaxSpanRecords && t.fits(spanCost(n, width(offsets)))
}

func (t *Tracker) fits(cost int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head == nil || t.cost+t.resumedCost+cost <= t.maxMap
}

func width(offsets []int64) int64 { return offsets[len(offsets)-1] + 1 - offsets[0] }

// Admit enters a span of all offsets from the position up to next. The given offsets, in
// ascending order, are its unsettled records; all others count as settled. The position
// becomes next.
func (t *Tracker) Admit(s *Span, offsets []int64, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := t.position
	t.position = next
	s.reset(offsets, first, next)
	s.cost = 0
	if len(offsets) > 0 {
		s.cost = spanCost(len(offsets), width(offsets))
	}
	s.settled = len(offsets) == 0
	t.cost += s.cost
	s.prev, s.after = t.tail, nil
	if t.tail != nil {
		t.tail.after = s
	} else {
		t.head = s
	}
	t.tail = s
	t.passResumed()
	if s.settled {
		t.collapse(s)
	}
}

// passResumed forgets the resumed offsets below the position, because the spans cover
// them now.
func (t *Tracker) passResumed() {
	n := 0
	for n < len(t.resumed) && t.resumed[n].Next <= t.position {
		n++
	}
	if t.resumed = t.resumed[n:]; len(t.resumed) > 0 {
		t.resumedCost = mapLen(t.resumed, t.position)
	} else {
		t.resumedCost = 0
	}
}

// Retire removes a span whose records are all settled. Its owner may reuse it
// afterwards.
func (t *Tracker) Retire(s *Span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cost -= s.cost
	s.cost = 0
	s.settled = true
	t.collapse(s)
}

// collapse removes a settled span from the list. Its range moves the watermark, or goes
// to a placeholder that settled neighbours share, so that s itself is free.
func (t *Tracker) collapse(s *Span) {
	if s.prev == nil {
		t.unlink(s)
		t.watermark = s.next
		for t.head != nil && t.head.settled {
			t.watermark = t.head.next
			t.unlink(t.head)
		}
		return
	}
	switch {
	case s.prev.settled:
		s.prev.next = s.next
		t.unlink(s)
		if after := s.prev.after; after != nil && after.settled {
			s.prev.next = after.next
			t.unlink(after)
		}
	case s.after != nil && s.after.settled:
		s.after.first = s.first
		t.unlink(s)
	default:
		t.replace(s, &Span{first: s.first, next: s.next, settled: true})
	}
}

func (t *Tracker) unlink(s *Span) {
	if s.prev != nil {
		s.prev.after = s.after
	} else {
		t.head = s.after
	}
	if s.after != nil {
		s.after.prev = s.prev
	} else {
		t.tail = s.prev
	}
}

func (t *Tracker) replace(s, by *Span) {
	by.prev, by.after = s.prev, s.after
	s.prev.after = by // a settled head is unlinked, never replaced
	if s.after != nil {
		s.after.prev = by
	} else {
		t.tail = by
	}
}

// Unsettled calls visit for each span that is not retired. No span is retired until it
// returns.
func (t *Tracker) Unsettled(visit func(*Span)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := t.head; s != nil; s = s.after {
		if !s.settled {
			visit(s)
		}
	}
}

// Position returns the end of the last admitted span.
func (t *Tracker) Position() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.position
}

// Watermark returns the offset below which all records are settled.
func (t *Tracker) Watermark() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	offset, _, _ := t.lowest()
	return offset
}

// Oldest returns the offset of the record that holds the watermark, and the time of its
// admission. ok is false if no record is unsettled.
func (t *Tracker) Oldest() (offset int64, since time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lowest()
}

// lowest returns the offset and the admission of the lowest unsettled record. If there
// is none, it returns the position, and ok is false.
func (t *Tracker) lowest() (offset int64, since time.Time, ok bool) {
	for s := t.head; s != nil; s = s.after {
		if s.settled {
			continue
		}
		for i := range s.offsets {
			if !s.isSettled(i) {
				return s.offsets[i], s.admitted, true
			}
		}
	}
	return t.position, time.Time{}, false
}

// Mark calls set to change the marks of the next checkpoints. set must not keep the
// pointer, nor change the Suspicion that the marks point to.
func (t *Tracker) Mark(set func(*Marks)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	set(&t.marks)
}

// ExtendReach raises the reach of the next checkpoints to at least margin offsets above
// the position.
func (t *Tracker) ExtendReach(margin int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks.Reach = max(t.marks.Reach, t.position+margin)
}

// Checkpoint returns the watermark and the state to commit with it.
func (t *Tracker) Checkpoint() (int64, State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	watermark, _, _ := t.lowest()
	state := State{Origin: t.origin, Marks: t.marks}
	for s := t.head; s != nil; s = s.after {
		addSettled(&state, s, watermark)
	}
	for _, r := range t.resumed {
		state.add(max(r.First, t.position), r.Next)
	}
	return watermark, state
}

// addSettled adds the settled offsets of s above the watermark. It may miss a record
// that settles during the call, which is safe.
func addSettled(state *State, s *Span, watermark int64) {
	from := max(s.first, watermark)
	if !s.settled {
		for i, offset := range s.offsets {
			if offset >= watermark && !s.isSettled(i) {
				state.add(from, offset)
				from = offset + 1
			}
		}
	}
	state.add(from, s.next)
}
