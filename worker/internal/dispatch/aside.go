package dispatch

import "slices"

// A key whose record fails or is slow gets a separate lane, a lane aside, so that only
// its own records wait. The lane exists from the beginning of the trouble until it is
// empty: partitions without trouble only look at an empty map with each claim. The
// key's later records are still sorted into the shared lanes, and move to the lane
// aside when a goroutine is about to claim them there. So the records aside are always
// older than the key's other records, and the key's order is kept.

// addAside makes a lane aside for a key. It is running: the goroutine that works on
// the key's record has the turn.
func (l *Lanes) addAside(key uint64) *lane {
	if l.aside == nil {
		l.aside = make(map[uint64]*lane)
	}
	aside := &lane{lanes: l, isAside: true, key: key, state: laneRunning}
	l.aside[key] = aside
	return aside
}

// asideOf returns the lane aside of an item's key, or nil.
func (l *Lanes) asideOf(it Item) *lane {
	key := it.Record().Key
	if key == nil {
		return nil
	}
	return l.aside[hash(key)]
}

// popUntroubled appends up to n items of a lane to dst. Items whose keys have lanes
// aside move there instead.
func (b *backlog) popUntroubled(dst []Item, l *lane, n int) []Item {
	end := len(dst) + n
	for len(dst) < end && l.waiting > 0 {
		kept := len(dst)
		dst = l.popItems(dst, end-kept)
		for _, it := range dst[kept:] {
			if aside := l.lanes.asideOf(it); aside != nil {
				b.addToLane(aside, single(it))
				continue
			}
			dst[kept] = it
			kept++
		}
		dst = dst[:kept]
	}
	return dst
}

// moveAside makes a lane aside for the key of a failed item, moves the claim's later
// items of that key there, and returns the lane. The caller holds Pool.mu.
func (c *claim) moveAside(it Item) *lane {
	from := it.lane
	aside := from.lanes.addAside(hash(it.Record().Key))
	c.turns = append(c.turns, turn{lane: aside})
	for i := c.finished; i < len(c.items); i++ {
		if next := &c.items[i]; next.lane == from && from.lanes.asideOf(*next) == aside {
			next.lane = aside
		}
	}
	return aside
}

// separateAttempted makes lanes aside for the keys of the attempt under way, so that
// the other keys of their lanes need not wait for it. Records without a key have no
// order and leave their lanes.
func (b *backlog) separateAttempted(c *claim) {
	shared := func(it Item) bool { return it.lane != nil && it.lane.lanes.keys != nil && !it.lane.isAside }
	if !slices.ContainsFunc(c.attempted(), shared) {
		return
	}
	c.ownItems()
	for i := c.finished; i < len(c.items); i++ {
		it := &c.items[i]
		if !shared(*it) {
			continue
		}
		lanes := it.lane.lanes
		switch aside := lanes.asideOf(*it); {
		case aside != nil:
			it.lane = aside
		case i >= c.started():
		case it.Record().Key == nil:
			it.lane = nil
		default:
			it.lane = lanes.addAside(hash(it.Record().Key))
			c.turns = append(c.turns, turn{lane: it.lane})
		}
	}
}
