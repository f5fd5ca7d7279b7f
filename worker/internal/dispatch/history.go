package dispatch

// When an attempt of several records fails as a whole, it does not show which record
// is at fault. The pool tries them again in attempts of half as many, and so on down
// to the record that fails alone. These records share their next attempts only with
// each other, so that no other record has to be repeated because of them.

// history is what the pool remembers of an item's failed attempts.
type history struct {
	// limit is how many items may share the item's next attempt; 0 means BatchSize.
	// Only items with the same limit share one.
	limit uint16
	// together counts the item's attempts that failed as a whole.
	together uint16
}

// Together returns how many of the item's attempts failed as a whole.
func (it Item) Together() int { return int(it.history.together) }

// halved returns the history of an item after an attempt of n items that failed as a
// whole.
func (h history) halved(n int) history {
	return history{limit: uint16((n + 1) / 2), together: h.together + 1}
}
