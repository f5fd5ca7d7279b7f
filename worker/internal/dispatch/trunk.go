package dispatch

import (
	"time"
)

// Sorting records into the key lanes, and out of them again, costs as much as a light
// record does. So while records are light, a partition's stay together in its trunk:
// a goroutine that runs a partition in its order keeps the order of its keys, too.
// The backlog spreads them over the key lanes as soon as the trunk would hold
// something up: when a record is slow, or when a goroutine is idle while many records
// wait in the trunk.

// addOrdered queues a chunk of records that keep an order.
func (b *backlog) addOrdered(c *Chunk) {
	l := c.Lanes
	light := b.perRecord > 0 && b.perRecord <= b.light
	// New records must not overtake older ones, so the backlog chooses between the
	// trunk and the key lanes only while nothing of the partition is queued or runs.
	l.spread = l.keys != nil && l.trunk.state == laneIdle && (l.busy > 0 || !light)
	if !l.spread {
		b.addToLane(&l.trunk, newSegment(c, 0, int32(len(c.Records))))
		return
	}
	if !c.linked {
		c.link(0)
	}
	b.addParts(c)
}

// addParts queues the parts of a linked chunk in their key lanes.
func (b *backlog) addParts(c *Chunk) {
	for _, part := range c.parts {
		b.addToLane(part.lane, newSegment(c, part.first, part.records))
	}
}

// isWorthSpreading reports whether enough records wait in a trunk to occupy an idle
// goroutine for which no lane is ready.
func (b *backlog) isWorthSpreading(trunk *lane) bool {
	return b.crew.idle > b.ready.len() && time.Duration(trunk.waiting)*b.perRecord > claimTime
}

// spread moves the records that wait in a trunk to the key lanes. The trunk is idle
// afterwards.
func (b *backlog) spread(trunk *lane) {
	n := trunk.waiting
	trunk.waiting = 0
	for trunk.segments.len() > 0 {
		s := trunk.segments.pop()
		s.chunk.link(int(s.next))
		b.addParts(s.chunk)
	}
	trunk.setState(laneIdle)
	b.crew.wakeFor(n)
}

// leaveTrunks replaces a claim's turns of trunks by turns of the key lanes of its
// unfinished items, and spreads the trunks' unclaimed records.
func (b *backlog) leaveTrunks(c *claim) {
	var trunks, turns []turn
	for _, t := range c.turns {
		if t.lane.isSpreadable() {
			trunks = append(trunks, t)
		} else {
			turns = append(turns, t)
		}
	}
	if len(trunks) == 0 {
		return
	}
	c.turns = turns
	c.ownItems()
	for i := c.finished; i < len(c.items); i++ {
		it := &c.items[i]
		if it.lane == nil || !it.lane.isSpreadable() {
			continue
		}
		it.lane = it.lane.lanes.keyLane(it.Record())
		if it.lane.state == laneIdle { // else it has its turn already
			it.lane.setState(laneRunning)
			c.turns = append(c.turns, turn{lane: it.lane})
		}
	}
	for _, t := range trunks {
		b.spread(t.lane)
	}
}
