package scaling

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Learned is the essence of a History in a few figures, for an operator that starts
// again without the History. No figure changes with time alone, so the caller need not
// store it again while nothing happens.
type Learned struct {
	// Capacity is the number of records per second that one pod with Vertical.Base
	// can process, to within a quarter; 0 if it is unknown.
	Capacity float64
	// Pause is the time without any processing at the last change of the pods.
	Pause time.Duration
	// Idle is zero while records arrive or wait.
	Idle IdleSince
	// Enough lists numbers of pods that would have been enough, the lowest first.
	Enough []EnoughSince
	// Useless are the raises that brought no more throughput.
	Useless []UselessRaise
}

// IdleSince is a time since when no record has arrived and none is left.
type IdleSince struct {
	Since time.Time
	// Ends is the sum of the partitions' ends. It changes when a record arrives.
	Ends int64
}

// EnoughSince is a number of pods that would have been enough since a time.
type EnoughSince struct {
	Pods  int32
	Since time.Time
}

// UselessRaise is a raise that brought no more throughput.
type UselessRaise struct {
	// CPU is set if the raise was one of the pods' CPU, not of their number.
	CPU bool
	// From and To are numbers of pods, or thousandths of a CPU. Enough is the lowest
	// value that serves the partitions as well as To.
	From, To, Enough int32
	// Partitions are those that were behind; nil stands for all.
	Partitions []int32
	At         time.Time
}

const (
	// keptEnough and keptPartitions bound the lists in Learned.
	keptEnough     = 4
	keptPartitions = 10
	// capacityTolerance is the share by which a capacity has to differ from the last
	// one shown to replace it.
	capacityTolerance = 0.25
	// idleAfter is the shortest time without records that counts as idle. A trickle of
	// records has shorter ones.
	idleAfter = time.Minute
)

// Restore continues in an empty History with the figures that another History had
// learned while there were that many pods.
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

// Learned returns the figures to keep of the History while there are that many pods.
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
	l.Useless = append(h.raises.uselessOnes(p, now, false), h.resizes.uselessOnes(p, now, true)...)
	return l
}

// uselessOnes returns the raises that did not help and are recent enough to count.
func (l raises) uselessOnes(p Policy, now time.Time, cpu bool) (list []UselessRaise) {
	for _, r := range l {
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

// noteIdle keeps the time since when no record has arrived and none is left.
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

// Note records how many pods a Decision found to be enough.
func (h *History) Note(d Decision, now time.Time) {
	if d.To != d.From || d.To != h.enoughOf {
		h.enough, h.enoughOf = nil, d.To
	}
	if d.To == d.From && d.needed > 0 {
		h.enough = enoughNow(h.enough, d.needed, d.From, now.Truncate(time.Second))
	}
}

// enoughNow returns the list after a Decision that found needed pods to be enough while
// there were pods.
func enoughNow(list []EnoughSince, needed, pods int32, now time.Time) []EnoughSince {
	since := now
	kept := make([]EnoughSince, 0, len(list)+1)
	for _, e := range list {
		switch {
		case e.Pods <= needed: // while fewer pods were enough, needed pods were enough too
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
