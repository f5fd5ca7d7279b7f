package dispatch

import (
	"slices"
	"time"
)

// claim is the items that a goroutine has taken from the backlog, and the turns of
// their lanes. It belongs to its runner's goroutine. While an attempt is under way,
// the watchdog may change it too, under Pool.mu.
type claim struct {
	items    []Item
	turns    []turn
	finished int // items before it are finished or returned
	group    int // the items of the attempt under way are items[finished:finished+group]
}

// turn is one lane's part in a claim.
type turn struct {
	lane  *lane
	after time.Duration // how long the lane has to wait after the turn
}

// attempted returns the items of the attempt under way.
func (c *claim) attempted() []Item { return c.items[c.finished:c.started()] }

// started returns the number of items whose attempt is finished or under way.
func (c *claim) started() int { return c.finished + c.group }

// isAttempting reports whether an item of the lane is in the attempt under way.
func (c *claim) isAttempting(l *lane) bool {
	return slices.ContainsFunc(c.attempted(), func(it Item) bool { return it.lane == l })
}

// ownItems replaces the items by a copy that may be changed: an attempt under way, or
// a lost one, may be reading the former.
func (c *claim) ownItems() { c.items = slices.Clone(c.items) }

// reset empties the claim and keeps its memory.
func (c *claim) reset() {
	clear(c.turns)
	clear(c.items)
	c.turns, c.items, c.finished = c.turns[:0], c.items[:0], 0
}

// park makes the lane wait after its turn.
func (c *claim) park(l *lane, after time.Duration) {
	for i := len(c.turns) - 1; i >= 0; i-- {
		if c.turns[i].lane == l {
			c.turns[i].after = after
			return
		}
	}
}
