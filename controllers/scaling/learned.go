package scaling

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Learned is what a History comes to in a few figures, for an operator that starts
// again without it. None of them changes with time alone, so whoever keeps them need
// not write them again and again.
type Learned struct {
	// Capacity is what one pod can process with Vertical.Base, to within a
	// quarter; 0 while it is not known.
	Capacity float64
	// Pause is for how long nothing was processed when the pods changed last.
	Pause time.Duration
	// Idle is zero while something arrives, or waits.
	Idle IdleSince
	// Enough says since when fewer pods would have been enough, the fewest first.
	Enough []EnoughSince
	// Useless are the raises that brought no more throughput.
	Useless []UselessRaise
}

// IdleSince is a time in which nothing arrives and nothing is left.
type IdleSince struct {
	Since time.Time
	// Ends is the sum of the partitions' ends, which shows whether something has
	// arrived since.
	Ends int64
}

// EnoughSince is a number of pods that would have been enough since a time.
type EnoughSince struct {
	Pods  int32
	Since time.Time
}

// UselessRaise is a raise that brought no more throughput.
type UselessRaise struct {
	// CPU: it was one of the pods' CPU, not of their number.
	CPU              bool
	From, To, Enough int32
	// Partitions are those that were behind; nil for all.
	Partitions []int32
	At         time.Time
}

// How many of each are kept, how much a capacity has to differ to be another one, and
// how long nothing has to happen to be called idle: less is how a trickle looks.
const (
	keptEnough        = 4
	keptPartitions    = 10
	capacityTolerance = 0.25
	idleAfter         = time.Minute
)

// Restore has an empty History go on from what another one had learnt while there
// were that many pods.
func (h *History) Restore(l Learned, p Policy, pods int32) {
	h.restored = true
	h.capacity, h.cpu, h.shown = l.Capacity, p.Vertical.Base, l.Capacity
	h.pause.learned = l.Pause
	h.idle, h.enough, h.enoughOf = l.Idle, slices.Clone(l.Enough), pods
	for _, u := range l.Useless {
		r := raise{from: u.From, to: u.To, after: served{at: u.At}, verdict: &u}
		if u.CPU {
			h.resizes = append(h.resizes, r)
		} else {
			h.raises = append(h.raises, r)
		}
	}
}

// Learned is what is to be kept of the History at a time, while there are that many
// pods.
func (h *History) Learned(p Policy, pods int32, now time.Time) Learned {
	p = p.withDefaults()
	if c := h.capacityWith(p.Vertical.Base); math.Abs(c-h.shown) > capacityTolerance*h.shown {
		h.shown = c
	}
	l := Learned{Capacity: h.shown, Pause: h.pause.learned.Truncate(time.Second)}
	if pods > 0 && p.Min == 0 && !h.idle.Since.IsZero() && now.Sub(h.idle.Since) >= idleAfter {
		l.Idle = h.idle
	}
	if pods == h.enoughOf {
		l.Enough = slices.Clone(h.enough)
	}
	l.Useless = append(uselessOf(h.raises, p, now, false), uselessOf(h.resizes, p, now, true)...)
	return l
}

// uselessOf are those of the raises that did not help, as long as that is remembered.
func uselessOf(raises []raise, p Policy, now time.Time, cpu bool) (list []UselessRaise) {
	for _, r := range raises {
		enough, which, failed := r.failed(p.TargetLag)
		if !failed || now.Sub(r.after.at) > p.RaiseMemory {
			continue
		}
		u := UselessRaise{CPU: cpu, From: r.from, To: r.to, Enough: enough, At: r.after.at.Truncate(time.Second)}
		if len(which) <= keptPartitions {
			for id := range which {
				u.Partitions = append(u.Partitions, id)
			}
			slices.Sort(u.Partitions)
		}
		list = append(list, u)
	}
	return list
}

// noteIdle keeps since when nothing has happened.
func (h *History) noteIdle(next *Sample) {
	var ends int64
	for _, p := range next.Partitions {
		ends += p.End
	}
	switch {
	case next.totalLag() > 0:
		h.idle = IdleSince{}
	case h.idle.Since.IsZero() || h.idle.Ends != ends:
		h.idle = IdleSince{Since: next.At.Truncate(time.Second), Ends: ends}
	}
}

// Note has the History remember how many pods a Decision found to be enough.
func (h *History) Note(d Decision, now time.Time) {
	if d.To != d.From || d.To != h.enoughOf {
		h.enough, h.enoughOf = nil, d.To
	}
	if d.To == d.From && d.needed > 0 {
		h.enough = enoughNow(h.enough, d.needed, d.From, now.Truncate(time.Second))
	}
}

// enoughNow is the list when needed of so many pods are found to be enough.
func enoughNow(list []EnoughSince, needed, pods int32, now time.Time) []EnoughSince {
	since := now
	kept := make([]EnoughSince, 0, len(list)+1)
	for _, e := range list {
		switch {
		case e.Pods <= needed: // what was enough for long is so with more pods too
			if e.Since.Before(since) {
				since = e.Since
			}
		case e.Pods < pods && e.Since.Before(since):
			kept = append(kept, e)
		}
	}
	if needed < pods {
		kept = append(kept, EnoughSince{needed, since})
	}
	slices.SortFunc(kept, func(a, b EnoughSince) int { return cmp.Compare(a.Pods, b.Pods) })
	return slices.DeleteFunc(kept, func(e EnoughSince) bool { return len(kept) > keptEnough && e.Pods == kept[1].Pods })
}

// goesOn reports whether the History is short because the operator has started again:
// it goes back to the start without an interruption or a change of the pods, and what
// was learnt before goes further back.
func (c *choice) goesOn() bool {
	if !c.History.restored || len(c.now.samples) < len(c.History.samples) {
		return false
	}
	if !c.LastChange.IsZero() && c.Now.Sub(c.LastChange) < c.Policy.DownWindow {
		return false
	}
	return !slices.ContainsFunc(c.now.samples, func(s Sample) bool { return s.Replicas != c.Current })
}

// idleFor reports whether nothing has happened for that long, as far as is known from
// before the operator started.
func (c *choice) idleFor(d time.Duration) bool {
	idle := c.History.idle
	return c.goesOn() && !idle.Since.IsZero() && c.Now.Sub(idle.Since) >= d
}

// enoughFor is the fewest pods that have been enough for that long, as far as is known
// from before the operator started.
func (c *choice) enoughFor(d time.Duration) (pods int32, known bool) {
	if !c.goesOn() || c.History.enoughOf != c.Current {
		return 0, false
	}
	for _, e := range c.History.enough {
		if c.Now.Sub(e.Since) >= d {
			return e.Pods, true
		}
	}
	return 0, false
}
