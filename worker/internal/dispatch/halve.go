package dispatch

import "time"

// When an attempt of several records fails as a whole, it does not show which of
// them is at fault. They are tried again in attempts of half as many, and so on
// down to the record that fails alone. These records share their next attempts
// only with each other, so that no further record has to be repeated because of
// them.

// past holds what the pool remembers of an item's failed attempts.
type past struct {
	// limit is how many items may share its next attempt; 0 is BatchSize. Only
	// items with the same limit share one.
	limit uint16
	// together counts the attempts that failed as a whole.
	together uint16
}

// Together returns how many attempts the item was in that failed as a whole.
func (it Item) Together() int { return int(it.past.together) }

// halved returns the past of an item after an attempt of n items that failed as a
// whole.
func (p past) halved(n int) past {
	return past{limit: uint16((n + 1) / 2), together: p.together + 1}
}

// Verdict says what follows the attempt of an item. The zero Verdict says that it was
// the last one.
type Verdict struct {
	// Again asks for another attempt, after the wait After.
	Again bool
	After time.Duration
	// Together says that the attempt failed as a whole: the next one is made of
	// at most half as many items. All items that failed together get the same
	// After, so that they can be tried together again.
	Together bool
}
