package scaling

// raiseRules add pods, and take back a raise that did not help.
type raiseRules struct{ *situation }

const (
	// mostRaise bounds a raise to a multiple of the pods, because nobody knows yet
	// whether it helps.
	mostRaise = 4
	// hot is the share of a pod's capacity above which a partition counts as having
	// the pod to itself.
	hot = 0.8
)

// takeBack undoes a raise that did not help.
func (r raiseRules) takeBack() *verdict {
	enough, useless, found := r.History.raises.useless(r.newest, r.Policy, r.Now)
	if !found || useless.to != r.Current {
		return nil
	}
	// The other partitions may need more pods than those that the raise did not help.
	if r.newest.capacity > 0 && !r.newest.flatOut {
		enough = max(enough, r.newest.demand(r.Policy, true).pods(r.newest.capacity, r.cap))
	}
	if enough = useful(enough, r.Partitions); enough >= r.Current {
		return nil
	}
	return r.change(enough, RaiseDidNotHelp, "%d pods process no more than %d would; %s", r.Current, enough, r.load())
}

// raise adds pods when more have been needed for UpWindow.
func (r raiseRules) raise() *verdict {
	want, reason := r.podsNeeded(r.newest)
	if reason == HotPartition && r.Current < r.cap {
		return r.keep(HotPartition, "a partition that almost fills a pod is behind, and more pods would not help it; %s", r.load())
	}
	if want <= r.Current {
		if r.newest.behindAny(r.Policy.TargetLag) && r.Current >= r.cap {
			return r.keep(AtCap, "records wait longer than %v, and %s; %s", r.Policy.TargetLag, r.capSource(), r.load())
		}
		return nil
	}
	if enough, useless, found := r.History.raises.useless(r.newest, r.Policy, r.Now); found {
		want = min(want, useful(enough, r.Partitions))
		if want <= r.Current {
			return r.keep(RaiseDidNotHelp, "%d pods instead of %d did not help the partitions that are behind; %s", useless.to, useless.from, r.load())
		}
	}
	switch {
	case !r.allReady():
		return r.keep(PodsNotReady, "%d pods are needed, but only %d of %d are ready", want, r.newest.last().Ready, r.Current)
	case !r.throughoutUpWindow(func(a *assessment) bool { n, _ := r.podsNeeded(a); return n > r.Current }):
		return r.keep(Stabilizing, "%d pods are needed, but have not been for %v yet", want, r.Policy.UpWindow)
	}
	return r.raiseTo(want, reason)
}

// raiseTo returns the verdict for a raise to as many pods, or to as many as a single
// raise may lead to.
func (r raiseRules) raiseTo(want int32, reason Reason) *verdict {
	want = min(want, mostRaise*r.Current)
	if r.History.raises.anyFailed(r.Policy) {
		want = min(want, nextUseful(r.Current, r.Partitions))
	}
	if reason == LagAboveTarget {
		return r.change(want, reason, "records wait longer than %v; %s", r.Policy.TargetLag, r.load())
	}
	return r.change(want, reason, "%s, and %d pods can process %s", r.load(), r.Current, rate(float64(r.Current)*r.newest.capacity))
}

// podsNeeded returns the number of pods that an assessment asks for, and the reason.
func (r raiseRules) podsNeeded(a *assessment) (pods int32, reason Reason) {
	behind := a.behindAny(r.Policy.TargetLag)
	current := a.last().Replicas
	if a.capacity <= 0 {
		if behind && !a.catchingUp(r.Policy) {
			return nextUseful(current, r.Partitions), LagAboveTarget
		}
		return current, OnTarget
	}
	pods = a.demand(r.Policy, true).pods(a.capacity, r.Partitions)
	switch {
	case pods <= current && behind && !a.catchingUp(r.Policy):
		// The measured capacity says that the pods are enough, but they are not.
		return r.aFewMore(a)
	case pods <= current:
		return pods, LoadBelowCapacity
	case behind:
		return pods, LagAboveTarget
	case a.demand(r.Policy, false).fits(current, a.capacity, 1):
		return current, OnTarget
	default:
		return pods, LoadAboveCapacity
	}
}

// aFewMore asks for the next useful number of pods, unless more pods would not help the
// partitions that are behind.
func (r raiseRules) aFewMore(a *assessment) (pods int32, reason Reason) {
	for _, p := range a.partitions {
		if p.behind(r.Policy.TargetLag) && p.processed < hot*a.capacity {
			return nextUseful(a.last().Replicas, r.Partitions), LagAboveTarget
		}
	}
	return a.last().Replicas, HotPartition
}
