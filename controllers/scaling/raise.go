package scaling

import (
	"slices"
	"time"
)

// raise is a raise of the number of pods, or of their CPU, and its effect.
type raise struct {
	from, to int32
	// before is the service that the partitions had with from; after is the last one
	// seen with to, and is zero until the raise can be judged.
	before, after served
	// verdict is the judgement of another History, nil if this one judges.
	verdict *UselessRaise
}

// served is the service that the partitions had at a time.
type served struct {
	at         time.Time
	partitions []rates // by number
	// capacity is that of all pods if they worked without a pause, else 0.
	capacity float64
	cpu      CPU // of each pod, 0 if unknown
}

// raiseGain is the share of the expected growth that a raise has to bring to count as
// helpful.
const raiseGain = 0.3

// failed reports whether the raise did not help: the partitions that are behind after
// it are served no better than before. It also returns the number of pods that would
// serve them as well, and those partitions; nil stands for all partitions.
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
		earlier, known := find(r.before.partitions, p.id)
		if !p.behind(target) || !known {
			continue
		}
		// Only a partition that was processed without a pause before the raise shows
		// how fast it could be.
		if earlier.flat == 0 {
			return 0, nil, false
		}
		which[p.id] = true
		before += earlier.flat
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

// raises are the last raises of the pods or of their CPU, the oldest first.
type raises []raise

// keptRaises is the highest number of raises that a History remembers.
const keptRaises = 4

// add appends a raise and forgets the oldest if there are too many.
func (l *raises) add(r raise) {
	*l = append(*l, r)
	*l = (*l)[max(0, len(*l)-keptRaises):]
}

// noteEffect records the service with as many pods, or as much CPU, as the last raise
// led to.
func (l raises) noteEffect(to int32, s served) {
	if n := len(l); n > 0 && l[n-1].to == to && l[n-1].verdict == nil {
		l[n-1].after = s
	}
}

// useless returns the newest raise that did not help the partitions that are behind
// now, and the number of pods, or the CPU, that would do as well.
func (l raises) useless(a *assessment, policy Policy, now time.Time) (enough int32, r raise, found bool) {
	for _, r := range slices.Backward(l) {
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

// anyFailed reports whether any of the raises did not help, however long ago it was.
func (l raises) anyFailed(policy Policy) bool {
	return slices.ContainsFunc(l, func(r raise) bool {
		_, _, failed := r.failed(policy.TargetLag)
		return failed
	})
}

// noteRaise remembers the service before the raise that next shows, if it shows one.
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
	h.raises.add(raise{from: last.Replicas, to: next.Replicas, before: a.served()})
}

// noteResize does the same for a raise of the pods' CPU. The pods get more CPU one
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
	h.resizes.add(raise{from: int32(last.CPU), to: int32(next.CPU), before: a.served()})
}

// which returns the partitions that the raise did not help, nil for all partitions.
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
