package dispatch

import (
	"cmp"
	"slices"
	"time"
)

const (
	// maxClaim bounds the records a goroutine takes at once: enough to make
	// the lock's cost vanish, few enough that goroutines end together. It is
	// a whole chunk, so that goroutines need not share one where there are
	// several.
	maxClaim = 256
	// claimTime is how long a claim should keep a goroutine busy; slow records
	// are claimed one by one so that no goroutine sits on others' work.
	claimTime = 500 * time.Microsecond
)

// claim waits for work and takes some for r; false means that the pool is closed,
// or has one goroutine too many.
// What r claimed before is given back first.
func (p *Pool) claim(r *runner) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveBack(r)
	r.claims++
	for {
		if p.closed {
			return false
		}
		if p.tooMany() {
			p.leave(r)
			return false
		}
		if p.take(r); len(r.items) > 0 {
			return true
		}
		p.idle++
		r.waiting = true
		p.usage.change(time.Now(), -1)
		p.wake.Wait()
		p.usage.change(time.Now(), +1)
		r.waiting = false
		p.idle--
	}
}

// take fills r.items with at most the share of what is queued that is fair to
// the other goroutines.
func (p *Pool) take(r *runner) {
	want := p.share(r)
	for len(r.items) < want && p.retries.len() > 0 {
		r.items = append(r.items, p.retries.pop())
		p.queued--
	}
	for len(r.items) < want && p.chunks.len() > 0 {
		p.takeChunk(r, want)
	}
	for len(r.items) < want && p.ready.len() > 0 {
		p.takeLane(r, want)
	}
}

func (p *Pool) share(r *runner) int {
	fair := (p.queued + p.size - 1) / p.size
	n := min(fair, maxClaim)
	if r.perRecord == 0 {
		n = 1 // nothing is known yet of how long a record takes
	} else {
		n = min(n, int(claimTime/r.perRecord))
	}
	return max(n, min(p.cfg.BatchSize, p.queued), 1)
}

func (p *Pool) takeChunk(r *runner, want int) {
	c := *p.chunks.first()
	n := min(want-len(r.items), len(c.Records)-c.claimed)
	for i := c.claimed; i < c.claimed+n; i++ {
		r.items = append(r.items, Item{Chunk: c, Index: int32(i), past: past{limit: c.Limit}})
	}
	c.claimed += n
	p.queued -= n
	if c.claimed == len(c.Records) {
		p.chunks.pop()
	}
}

func (p *Pool) takeLane(r *runner, want int) {
	l := p.ready.pop()
	p.queued -= l.waiting
	l.to(laneRunning)
	claimed := len(r.items)
	if len(l.set.aside) == 0 || l.alone {
		r.items = l.take(r.items, want-claimed)
	} else if r.items = p.takeOthers(r.items, l, want-claimed); len(r.items) == claimed {
		l.to(laneIdle) // all of it went to lanes aside
		return
	}
	r.lanes = append(r.lanes, turn{lane: l})
}

// giveBack ends the turns of the lanes that r has run.
func (p *Pool) giveBack(r *runner) {
	if len(r.items) > 0 {
		p.perRecord = r.perRecord
	}
	p.endTurns(r.lanes)
	clear(r.lanes)
	clear(r.items)
	r.lanes, r.items, r.pos = r.lanes[:0], r.items[:0], 0
}

// endTurns ends the turns of lanes. Those that wait for the same time, because
// their records failed together, become ready together: their records can share
// an attempt again.
func (p *Pool) endTurns(turns []turn) {
	var parked []turn
	for _, t := range turns {
		if p.endTurn(t); t.lane.state == laneParked {
			parked = append(parked, t)
		}
	}
	slices.SortStableFunc(parked, func(a, b turn) int { return cmp.Compare(a.after, b.after) })
	for len(parked) > 0 {
		n := 1
		for n < len(parked) && parked[n].after == parked[0].after {
			n++
		}
		same := parked[:n:n]
		parked = parked[n:]
		time.AfterFunc(same[0].after, func() { p.unpark(same) })
	}
}

func (p *Pool) endTurn(t turn) {
	l := t.lane
	blocked := len(l.back) > 0
	if blocked {
		l.restore()
	}
	switch {
	case l.branches() && p.wanted(l):
		p.spill(l)
	case blocked && t.after > 0:
		l.to(laneParked)
	case l.waiting > 0:
		p.makeReady(l)
	default:
		l.to(laneIdle)
	}
}

// giveRest gives items that r has claimed and not begun to other goroutines, except
// those of the keys or partitions that it is working on. The backoffs of items that
// have failed begin.
func (p *Pool) giveRest(r *runner) {
	p.branch(r, r.pos)
	p.isolate(r)
	begun := r.pos + r.group
	busy := func(l *lane) bool {
		return slices.ContainsFunc(r.items[r.pos:begun], func(it Item) bool { return it.lane == l })
	}
	var held, free []turn
	for _, t := range r.lanes {
		if busy(t.lane) {
			held = append(held, t)
		} else {
			free = append(free, t)
		}
	}
	kept := r.items[:begun]
	for _, it := range r.items[begun:] {
		switch {
		case it.lane == nil:
			p.retries.push(it)
			p.queued++
			p.wake.Signal()
		case slices.ContainsFunc(held, func(t turn) bool { return t.lane == it.lane }):
			kept = append(kept, it)
		default:
			it.lane.back = append(it.lane.back, it)
		}
	}
	p.endTurns(free)
	r.items, r.lanes = kept, append(r.lanes[:0], held...)
}
