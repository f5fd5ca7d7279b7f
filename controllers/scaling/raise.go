package scaling

import (
	"slices"
	"time"
)

// raise is what came of a raise of the number of pods, or of their CPU.
type raise struct {
	from, to int32
	// before is how the partitions fared with from, after with to, as
	// last seen; after is zero until the raise can be judged.
	before, after served
	// verdict is what another History had found; nil for what this one finds.
	verdict *UselessRaise
}

// served is how the partitions fared at a time.
type served struct {
	at         time.Time
	partitions []rates // by number
	// capacity is that of all pods, if they had to do all they could; else 0.
	capacity float64
	cpu      CPU // that each pod had, 0 for unknown
}

// keptRaises is how many raises are remembered at most.
const keptRaises = 4

// noteRaise remembers how the partitions fared before the raise that next shows.
func (h *History) noteRaise(next *Sample) {
	if len(h.samples) == 0 {
		return
	}
	last := h.samples[len(h.samples)-1]
	if last.Replicas == 0 || next.Replicas <= last.Replicas {
		return
	}
	a := assess(h.samples, DefaultRebalanceWait, DefaultStuckAfter)
	if !a.settled {
		return
	}
	h.raises = append(h.raises, raise{from: last.Replicas, to: next.Replicas, before: a.served()})
	h.raises = h.raises[max(0, len(h.raises)-keptRaises):]
}

// noteResize does the same for the raise of the pods' CPU. The pods get it one
// after another, which is one raise.
func (h *History) noteResize(next *Sample) {
	if len(h.samples) == 0 {
		return
	}
	last := h.samples[len(h.samples)-1]
	if last.CPU == 0 || next.CPU <= last.CPU || last.Replicas == 0 || next.Replicas != last.Replicas {
		return
	}
	a := assess(h.samples, DefaultRebalanceWait, DefaultStuckAfter)
	if n := len(h.resizes); n > 0 && !a.settled && h.resizes[n-1].after.at.IsZero() {
		h.resizes[n-1].to = int32(next.CPU)
		return
	}
	if !a.settled {
		return
	}
	h.resizes = append(h.resizes, raise{from: int32(last.CPU), to: int32(next.CPU), before: a.served()})
	h.resizes = h.resizes[max(0, len(h.resizes)-keptRaises):]
}

// raiseGain is the share of the growth to be expected of a raise that has to be
// there for it to have helped.
const raiseGain = 0.3

// failed reports whether the partitions that are behind after the raise are served
// no better than before it, how many pods would serve them as well, and which
// they are: nil for any.
func (r raise) failed(target time.Duration) (enough int32, which map[int32]bool, failed bool) {
	if r.after.at.IsZero() {
		return 0, nil, false
	}
	if r.verdict != nil {
		return r.verdict.Enough, r.verdict.which(), true
	}
	which = make(map[int32]bool)
	var before, after float64
	for _, p := range r.after.partitions {
		was, known := find(r.before.partitions, p.id)
		if !p.behind(target) || !known {
			continue
		}
		// Only what was worked off without a pause before shows how fast it
		// could be.
		if was.flat == 0 {
			return 0, nil, false
		}
		which[p.id] = true
		before += was.flat
		after += p.processed
	}
	if len(which) == 0 || before <= 0 {
		return 0, nil, false
	}
	gain := after / before
	if gain-1 >= raiseGain*(float64(r.to)/float64(r.from)-1) {
		return 0, nil, false
	}
	return min(r.to, max(r.from, ceil(float64(r.from)*gain-0.2))), which, true
}

// useless returns the newest of the raises that did not help those partitions that
// are behind now, and how many pods, or how much CPU, would do as well.
func (h *History) useless(raises []raise, a *assessment, policy Policy, now time.Time) (enough int32, last raise, found bool) {
	for i := len(raises) - 1; i >= 0; i-- {
		r := raises[i]
		if now.Sub(r.after.at) > policy.RaiseMemory {
			continue
		}
		enough, which, failed := r.failed(policy.TargetLag)
		if failed && a.behindOnly(policy.TargetLag, which) {
			return enough, r, true
		}
	}
	return 0, raise{}, false
}

// failedBefore reports whether a raise that is remembered did not help, however
// long ago.
func (h *History) failedBefore(raises []raise, policy Policy) bool {
	return slices.ContainsFunc(raises, func(r raise) bool {
		_, _, failed := r.failed(policy.TargetLag)
		return failed
	})
}

// proven is the most that one pod, with that much CPU, was seen to do when it had to
// do all it could, 0 if that was not seen lately. The pools' saturation may promise
// more.
func (h *History) proven(policy Policy, now time.Time, cpu CPU) (capacity float64) {
	for _, r := range h.raises {
		if now.Sub(r.before.at) <= policy.RaiseMemory {
			capacity = max(capacity, inProportion(r.before.capacity/float64(r.from), r.before.cpu, cpu))
		}
	}
	return capacity
}

// which are the partitions that it did not help, nil for any.
func (u *UselessRaise) which() map[int32]bool {
	if u.Partitions == nil {
		return nil
	}
	which := make(map[int32]bool)
	for _, id := range u.Partitions {
		which[id] = true
	}
	return which
}
