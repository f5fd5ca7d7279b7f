package scaling

import "time"

// mostRaise bounds a raise to a multiple of the pods, as it is not known yet
// whether it helps.
const mostRaise = 4

// wanted is how many pods the newest of the samples ask for, and why.
func (c *choice) wanted(a *assessment) (pods int32, reason Reason) {
	behind := a.behindAny(c.Policy.TargetLag)
	current := a.last().Replicas
	if a.capacity <= 0 {
		if behind && !a.catchingUp(c.Policy) {
			return nextUseful(current, c.Partitions), LagAboveTarget
		}
		return current, OnTarget
	}
	pods = a.demand(c.Policy, true).pods(a.capacity, c.Partitions)
	switch {
	case pods <= current && behind && !a.catchingUp(c.Policy):
		// What is known of the capacity says that the pods are enough, and they
		// are not.
		return c.step(a)
	case pods <= current:
		return pods, LoadBelowCapacity
	case behind:
		return pods, LagAboveTarget
	case a.demand(c.Policy, false).fits(current, a.capacity, 1):
		return current, OnTarget
	default:
		return pods, LoadAboveCapacity
	}
}

// step asks for a few more pods, unless they would not help those partitions
// that are behind.
func (c *choice) step(a *assessment) (pods int32, reason Reason) {
	for _, p := range a.partitions {
		if p.behind(c.Policy.TargetLag) && p.processed < hot*a.capacity {
			return nextUseful(a.last().Replicas, c.Partitions), LagAboveTarget
		}
	}
	return a.last().Replicas, HotPartition
}

// hot is the share of a pod from which on a partition is taken to have it to
// itself.
const hot = 0.8

func (a *assessment) behindAny(target time.Duration) bool {
	for _, p := range a.partitions {
		if p.behind(target) {
			return true
		}
	}
	return false
}

// catchingUp reports whether the partitions that are behind will be on target
// before long, as it goes.
func (a *assessment) catchingUp(policy Policy) bool {
	for _, p := range a.partitions {
		if !p.behind(policy.TargetLag) {
			continue
		}
		excess := float64(p.lag) - p.processed*policy.TargetLag.Seconds()
		if (p.processed-p.arrived)*2*policy.CatchUp.Seconds() < excess {
			return false
		}
	}
	return true
}

// raise adds pods when more have been needed for UpWindow.
func (c *choice) raise() *verdict {
	want, reason := c.wanted(c.now)
	if reason == HotPartition && c.Current < c.cap {
		return c.stay(HotPartition, "a partition is behind that has a pod almost to itself: more pods would not help it; %s", c.load())
	}
	if want <= c.Current {
		if c.now.behindAny(c.Policy.TargetLag) && c.Current >= c.cap {
			return c.stay(AtCap, "records wait for longer than %v, and %s; %s", c.Policy.TargetLag, c.bound(), c.load())
		}
		return nil
	}
	if v := c.futile(&want); v != nil {
		return v
	}
	switch {
	case c.now.last().Ready < c.now.last().Replicas:
		return c.stay(PodsNotReady, "%d pods would be needed, but of %d only %d are ready", want, c.Current, c.now.last().Ready)
	case !c.lasting(func(a *assessment) bool { w, _ := c.wanted(a); return w > c.Current }):
		return c.stay(Stabilizing, "%d pods would be needed, but not for %v yet", want, c.Policy.UpWindow)
	}
	want = min(want, mostRaise*c.Current)
	if c.History.failedBefore(c.History.raises, c.Policy) {
		want = min(want, nextUseful(c.Current, c.Partitions))
	}
	if reason == LagAboveTarget {
		return c.change(want, reason, "records wait for longer than %v; %s", c.Policy.TargetLag, c.load())
	}
	return c.change(want, reason, "%s, and %d pods can process %s", c.load(), c.Current, rate(float64(c.Current)*c.now.capacity))
}

// lasting reports whether something has been so throughout UpWindow.
func (c *choice) lasting(so func(*assessment) bool) bool {
	from := c.now.last().At.Add(-c.Policy.UpWindow)
	samples := c.now.samples
	for len(samples) > 0 {
		a := c.assess(samples)
		if !a.settled || !so(a) {
			return false
		}
		if !a.last().At.After(from) {
			return true
		}
		samples = samples[:len(samples)-1]
	}
	return false
}

// futile lowers what is wanted to what a raise that did not help left room for.
func (c *choice) futile(want *int32) *verdict {
	enough, r, found := c.History.useless(c.History.raises, c.now, c.Policy, c.Now)
	if !found {
		return nil
	}
	*want = min(*want, useful(enough, c.Partitions))
	if *want > c.Current {
		return nil
	}
	return c.stay(RaiseDidNotHelp, "%d instead of %d pods did not help those partitions that are behind; %s", r.to, r.from, c.load())
}
