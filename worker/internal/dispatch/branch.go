package dispatch

import (
	"slices"
	"time"
)

// Sorting records into the lanes of their keys, and out of them again, costs as
// much as a light record does. So while records are light, a partition's stay
// together in its trunk: who runs a partition in its order keeps that of its keys.
// They are sorted as soon as this would hold something up: a record is slow, or a
// goroutine has nothing to do while much is waiting in the trunk.

// pushLanes queues a chunk of records that keep an order. Needs mu.
func (p *Pool) pushLanes(c *Chunk) {
	l := c.Lanes
	light := p.perRecord > 0 && p.perRecord <= p.light
	// What came before must not be overtaken: the way is chosen again when
	// nothing of the partition is left.
	l.branched = l.keys != nil && l.trunk.state == laneIdle && (l.busy > 0 || !light)
	if !l.branched {
		p.pushTo(&l.trunk, stretch{chunk: c, left: int32(len(c.Records)), past: past{limit: c.Limit}})
		return
	}
	if !c.linked {
		c.link(0)
	}
	p.pushParts(c)
}

// wanted reports whether a trunk has enough waiting to be worth the while of a
// goroutine that has nothing to do. Needs mu.
func (p *Pool) wanted(trunk *lane) bool {
	return p.idle > p.ready.len() && time.Duration(trunk.waiting)*p.perRecord > claimTime
}

func (p *Pool) pushParts(c *Chunk) {
	for _, part := range c.parts {
		p.pushTo(part.lane, stretch{chunk: c, next: part.first, left: part.records, past: past{limit: c.Limit}})
	}
}

func (p *Pool) pushTo(l *lane, s stretch) {
	l.push(s)
	switch l.state {
	case laneIdle:
		l.to(laneReady)
		p.ready.push(l)
		p.queued += int(s.left)
	case laneReady:
		p.queued += int(s.left)
	case laneRunning, laneParked:
		// Counted when the lane becomes ready.
	}
}

// spill moves what waits in a trunk to the lanes of the keys, and makes the trunk
// idle. Needs mu.
func (p *Pool) spill(trunk *lane) {
	n := trunk.waiting
	trunk.waiting = 0
	for trunk.stretch.len() > 0 {
		s := trunk.stretch.pop()
		s.chunk.link(int(s.next))
		p.pushParts(s.chunk)
	}
	trunk.to(laneIdle)
	p.wakeFor(n)
}

// branch replaces r's turns of trunks by those of the lanes that its items are in,
// from number from on, and gives others what it has not claimed. Needs mu.
func (p *Pool) branch(r *runner, from int) {
	trunks := slices.Clone(r.lanes)
	trunks = slices.DeleteFunc(trunks, func(t turn) bool { return !t.lane.branches() })
	if len(trunks) == 0 {
		return
	}
	r.lanes = slices.DeleteFunc(r.lanes, func(t turn) bool { return t.lane.branches() })
	r.items = slices.Clone(r.items) // the attempt under way may be reading the old ones
	for i := from; i < len(r.items); i++ {
		it := &r.items[i]
		if it.lane == nil || !it.lane.branches() {
			continue
		}
		it.lane = it.lane.set.of(it.Record())
		if it.lane.state == laneIdle { // or it has its turn already
			it.lane.to(laneRunning)
			r.lanes = append(r.lanes, turn{lane: it.lane})
		}
	}
	for _, t := range trunks {
		p.spill(t.lane)
	}
}
