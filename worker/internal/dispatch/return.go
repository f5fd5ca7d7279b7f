package dispatch

import (
	"slices"
	"time"
)

// endClaim ends the turns of a claim's lanes, and empties the claim. perRecord is how
// long its goroutine took for a record. It returns the parked lanes, for which the
// caller has to set timers.
func (b *backlog) endClaim(c *claim, perRecord time.Duration) (parked []turn) {
	if len(c.items) > 0 {
		b.perRecord = perRecord
	}
	parked = b.endTurns(c.turns)
	c.reset()
	return parked
}

// returnUnstarted returns the unstarted items of a claim to the backlog: unordered
// ones to the retry queue, the others to their lanes. Lanes with an item in the
// attempt under way stay with the claim. The waits of failed items begin: the caller
// has to set timers for the parked lanes that returnUnstarted returns.
func (b *backlog) returnUnstarted(c *claim) (parked []turn) {
	b.leaveTrunks(c)
	b.separateAttempted(c)
	var kept, ended []turn
	for _, t := range c.turns {
		if c.isAttempting(t.lane) {
			kept = append(kept, t)
		} else {
			ended = append(ended, t)
		}
	}
	items := c.items[:c.started()]
	for _, it := range c.items[c.started():] {
		switch {
		case it.lane == nil:
			b.retries.push(it)
			b.queued++
			b.crew.wake.Signal()
		case slices.ContainsFunc(kept, func(t turn) bool { return t.lane == it.lane }):
			items = append(items, it)
		default:
			it.lane.returned = append(it.lane.returned, it)
		}
	}
	parked = b.endTurns(ended)
	c.items, c.turns = items, append(c.turns[:0], kept...)
	return parked
}

// endTurns ends the turns of lanes and returns those whose lanes are parked.
func (b *backlog) endTurns(turns []turn) (parked []turn) {
	for _, t := range turns {
		if b.endTurn(t); t.lane.state == laneParked {
			parked = append(parked, t)
		}
	}
	return parked
}

func (b *backlog) endTurn(t turn) {
	l := t.lane
	blocked := l.isBlocked()
	if blocked {
		l.requeueReturned()
	}
	switch {
	case l.isSpreadable() && b.isWorthSpreading(l):
		b.spread(l)
	case blocked && t.after > 0:
		l.setState(laneParked)
	case l.waiting > 0:
		b.makeReady(l)
	default:
		l.setState(laneIdle)
	}
}
