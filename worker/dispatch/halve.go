package dispatch

import "time"

// Nobody knows which record is at fault when an attempt of several fails as a
// whole. They are tried again in attempts of half as many, and those that fail in
// halves of these, down to the record that fails alone. Those that were in such an
// attempt share their next ones only with each other, so that no further record
// has to be tried again for their sake.

// past is what is remembered of an item's failed attempts.
type past struct {
	// limit is how many items may share its next attempt; 0 is BatchSize. Only
	// items with the same limit share one.
	limit uint16
	// together counts the attempts that failed as a whole.
	together uint16
}

// Together returns how many attempts the item was in that failed as a whole.
func (it Item) Together() int { return int(it.past.together) }

// halved is the past of an item after an attempt of n that failed as a whole.
func (p past) halved(n int) past {
	return past{limit: uint16((n + 1) / 2), together: p.together + 1}
}

// Verdict is what follows the attempt of an item. The zero Verdict says that it
// has had its last.
type Verdict struct {
	// Again asks for another attempt, after the wait After.
	Again bool
	After time.Duration
	// Together says that the attempt failed as a whole: the next one is made of
	// at most half as many items. All items that failed together get the same
	// After, so that they can be tried together again.
	Together bool
}
