package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Stall says for how long nothing came out of partitions after one kind of fault. A gap
// counts while a record of its partition was waiting.
type Stall struct {
	Kind  string `json:"kind"`
	Alone bool   `json:"alone"`
	// Faults is the number of faults.
	Faults int `json:"faults"`
	// Moved is about the partitions that another process writes after the fault than
	// before, Stayed about the others.
	Moved  Gaps `json:"moved"`
	Stayed Gaps `json:"stayed"`
	// Starved is the number of gaps that are left out, because other programs kept the
	// machine busy then.
	Starved int `json:"starved,omitempty"`
}

// Gaps sum up the longest gaps of partitions.
type Gaps struct {
	Partitions int           `json:"partitions"`
	Median     time.Duration `json:"median"`
	Longest    time.Duration `json:"longest"`

	// All are the gaps themselves.
	All []time.Duration `json:"-"`
}

// Bound is how long nothing may come out after a fault by itself.
type Bound struct {
	Kind          string
	Moved, Stayed time.Duration
}

func (g *Gaps) sum() {
	if g.Partitions = len(g.All); g.Partitions == 0 {
		return
	}
	slices.Sort(g.All)
	g.Median, g.Longest = g.All[len(g.All)/2], g.All[len(g.All)-1]
}

// flowing is how long ago an output of each partition may be while all is well.
const flowing = time.Second

// Flowing reports whether outputs of all partitions have come within the last second.
func (c *Checker) Flowing(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.partitions {
		n := len(p.timeline)
		if n == 0 || now.UnixMilli()-p.timeline[n-1].at > flowing.Milliseconds() {
			return false
		}
	}
	return len(c.partitions) > 0
}

// stalls measures the gaps after each fault.
func (j *judge) stalls() []Stall {
	type class struct {
		kind  string
		alone bool
	}
	byClass := map[class]*Stall{}
	for n, p := range j.c.partitions {
		slices.SortStableFunc(p.timeline, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
		gaps := p.gaps()
		for i := range j.history.Events {
			e := &j.history.Events[i]
			s := byClass[class{e.Kind, e.Alone}]
			if s == nil {
				s = &Stall{Kind: e.Kind, Alone: e.Alone}
				byClass[class{e.Kind, e.Alone}] = s
			}
			if n == 0 {
				s.Faults++
			}
			j.measure(s, e, int32(n), gaps)
		}
	}
	all := make([]Stall, 0, len(byClass))
	for _, s := range byClass {
		s.Moved.sum()
		s.Stayed.sum()
		all = append(all, *s)
	}
	slices.SortFunc(all, compareStalls)
	return all
}

// gap is a time without outputs of a partition.
type gap struct {
	from, to int64 // in milliseconds since 1970
	waited   int64 // the part of it in which a record was waiting
	before   int16 // the process that wrote the output before it
	after    int16
}

// gaps returns the gaps of a partition's timeline.
func (p *partition) gaps() []gap {
	gaps := make([]gap, 0, len(p.timeline))
	next := int64(0) // above all records that came out so far
	for i, m := range p.timeline {
		if i > 0 {
			last := p.timeline[i-1]
			g := gap{from: last.at, to: m.at, waited: m.at - last.at, before: last.process, after: m.process}
			if next < int64(len(p.slots)) {
				g.waited = max(min(g.waited, m.at-p.slots[next].written), 0)
			}
			gaps = append(gaps, g)
		}
		next = max(next, m.seq+1)
	}
	return gaps
}

// settled is how long before a fault a gap may begin and count as that fault's and not the
// former one's, in milliseconds.
const settled = 500

// measure adds the longest gap of a partition after a fault.
func (j *judge) measure(s *Stall, e *Event, n int32, gaps []gap) {
	begin, until := e.Begin.UnixMilli(), e.Until.Add(-settled*time.Millisecond).UnixMilli()
	i, _ := slices.BinarySearchFunc(gaps, begin, func(g gap, at int64) int { return cmp.Compare(g.to, at) })
	if i == len(gaps) {
		return
	}
	before, after := gaps[i].before, gaps[i].before
	longest := gap{}
	for ; i < len(gaps) && gaps[i].from < until; i++ {
		after = gaps[i].after
		g := gaps[i]
		if e.Alone {
			g.waited = min(g.waited, e.Until.UnixMilli()-g.from) // what follows is the next fault's
		}
		if g.from > begin-settled && g.waited > longest.waited {
			longest = g
		}
	}
	if j.starved(longest) {
		s.Starved++
		return
	}
	waited := time.Duration(longest.waited) * time.Millisecond
	into, what := &s.Stayed, "stayed"
	if before != after {
		into, what = &s.Moved, "moved"
	}
	into.All = append(into.All, waited)
	for _, b := range j.history.Bounds {
		bound := b.Stayed
		if before != after {
			bound = b.Moved
		}
		if e.Alone && b.Kind == e.Kind && waited > bound {
			j.c.violations.add(Stalled, e.Begin, fmt.Sprintf("%s (%s) at %s: nothing came out of partition %d, which %s (%s to %s), for %s from %s on; the bound is %s",
				e.Kind, e.Detail, stamp(e.Begin), n, what, j.c.processes[before], j.c.processes[after], waited, stamp(milli(longest.from)), bound))
		}
	}
}

// starved reports whether other programs kept the machine busy during a gap.
func (j *judge) starved(g gap) bool {
	for _, s := range j.history.Starved {
		if s.Begin.UnixMilli() <= g.to && s.End.UnixMilli() >= g.from {
			return true
		}
	}
	return false
}
