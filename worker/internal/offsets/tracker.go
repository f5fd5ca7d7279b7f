package offsets

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Tracker knows what is settled of one assignment of a partition. It is safe
// for concurrent use.
type Tracker struct {
	mu sync.Mutex
	// All below is guarded by mu.

	// head and tail are the spans from the watermark to the position, in
	// order, without gaps between them. Settled ones that touch are joined, so
	// that their number is bounded by that of the unsettled ones.
	head, tail *Span
	watermark  int64 // where head begins
	position   int64 // where tail ends
	cost       int   // the most that the unsettled spans' part of the map can take
	maxMap     int   // what cost and resumedCost may come to, in bytes

	resumed     []Range // settled before a restart, and not read past yet
	resumedCost int     // what they take in the map
	origin      Origin  // constant
	marks       Marks
}

// New returns a tracker for a partition that is read from position on, whose
// committed metadata said resume.
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

// Resumed reports whether a record that is still to come was settled before
// the restart, so that it is not to be run again.
func (t *Tracker) Resumed(offset int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := slices.BinarySearchFunc(t.resumed, offset, func(r Range, offset int64) int {
		return cmp.Compare(r.Next, offset+1) // the first range that ends behind offset
	})
	return i < len(t.resumed) && offset >= t.resumed[i].First
}

// ResumedWithin returns how many of the offsets from first up to next were
// settled before the restart.
func (t *Tracker) ResumedWithin(first, next int64) (n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.resumed {
		n += max(min(r.Next, next)-max(r.First, first), 0)
	}
	return n
}

// Room reports whether a span of MaxSpanRecords successive offsets Fits: as
// long as it does not, there is no use in decoding more of the partition.
func (t *Tracker) Room() bool { return t.fits(spanCost(MaxSpanRecords, MaxSpanRecords)) }

// Fits reports whether the map will fit into the metadata, whatever settles
// first, when a span of these records is admitted. A span that does not fit
// must wait until others are retired; the first one fits always, if it has no
// more than MaxSpanRecords.
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

// Admit enters a span: everything from the position up to next, of which
// offsets, in ascending order, are the records to be settled. What lies between
// them is settled already. The position becomes next.
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

// passResumed forgets what was resumed below the position: the spans tell it
// from now on.
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

// Retire takes a span whose records are all settled. The span may be reused
// afterwards.
func (t *Tracker) Retire(s *Span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cost -= s.cost
	s.cost = 0
	s.settled = true
	t.collapse(s)
}

// collapse takes a settled span out of the list. Its range moves the watermark
// or goes to a placeholder, which neighbours share, so that s itself is free.
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

// Unsettled calls visit for each span that is not retired, and lets none be
// retired until it returns.
func (t *Tracker) Unsettled(visit func(*Span)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := t.head; s != nil; s = s.after {
		if !s.settled {
			visit(s)
		}
	}
}

// Position returns the offset up to which spans were admitted.
func (t *Tracker) Position() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.position
}

// Watermark returns the offset below which everything is settled.
func (t *Tracker) Watermark() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	offset, _, _ := t.lowest()
	return offset
}

// Oldest returns the record that holds the watermark and when it was admitted;
// ok is false if nothing is unsettled.
func (t *Tracker) Oldest() (offset int64, since time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lowest()
}

// lowest returns the lowest unsettled record, or the position.
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

// Mark changes what the next checkpoints say beside what is settled. set must
// not keep the marks, nor change what their Suspicion points to.
func (t *Tracker) Mark(set func(*Marks)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	set(&t.marks)
}

// ExtendReach makes the reach of the next checkpoints at least the position and
// margin.
func (t *Tracker) ExtendReach(margin int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks.Reach = max(t.marks.Reach, t.position+margin)
}

// Checkpoint returns the watermark and what is settled above it, as it may be
// committed.
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

// addSettled adds what of s is settled above the watermark. A record that
// settles during the call may be missed, which is safe.
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
