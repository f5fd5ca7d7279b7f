package scaling

// takeBackCPU undoes a raise of the CPU that did not help.
func (c *choice) takeBackCPU(v verdict) *verdict {
	if v.to != c.Current || !c.known() || c.resizing() {
		return nil
	}
	enough, r, found := c.History.useless(c.History.resizes, c.now, c.Policy, c.Now)
	if !found || CPU(r.to) != c.CPU {
		return nil
	}
	for limit := range c.limits {
		if limit >= CPU(enough) && limit < c.CPU {
			return c.resize(limit, MoreCPUDidNotHelp, "with %v of CPU each, the pods process no more than with %v; %s", c.CPU, limit, c.load())
		}
	}
	return nil
}

// moreCPU gives each pod more where more pods can't help.
func (c *choice) moreCPU(v verdict) *verdict {
	if !c.podsDoNotHelp(v) || !c.known() {
		return nil
	}
	if c.resizing() {
		message := c.Resize.Message
		if message == "" {
			message = "the pods' CPU is being changed"
		}
		return c.resize(c.CPU, ResizePending, "%s; each pod is to have %v of CPU: %s", v.message, c.CPU, message)
	}
	ceiling, why := c.ceiling()
	switch {
	case c.CPU >= ceiling:
		return c.resize(c.CPU, v.stayed(), "%s; each pod has %v of CPU, and %s", v.message, c.CPU, why)
	case c.now.last().Ready < c.now.last().Replicas:
		return c.resize(c.CPU, PodsNotReady, "the pods need more CPU, but of %d only %d are ready", c.Current, c.now.last().Ready)
	case !c.lasting(func(a *assessment) bool { return c.neededCPU(a) > c.CPU }):
		return c.resize(c.CPU, Stabilizing, "the pods need more CPU, but not for %v yet", c.Policy.UpWindow)
	}
	to := min(c.neededCPU(c.now), ceiling)
	if c.History.failedBefore(c.History.resizes, c.Policy) {
		to = min(to, c.next(c.CPU))
	}
	return c.resize(to, MorePodsDoNotHelp, "%s: %s", v.message, gets(c.CPU, to))
}

// podsDoNotHelp reports whether v leaves the pods at their number although
// partitions need more than they get.
func (c *choice) podsDoNotHelp(v verdict) bool {
	switch v.reason {
	case HotPartition, AtCap, RaiseDidNotHelp:
		return v.to == c.Current
	case LagAboveTarget, LoadAboveCapacity:
		return v.to > c.Current && c.Current >= c.cap
	}
	return false
}

// stayed is the reason for which nothing changes.
func (v verdict) stayed() Reason {
	switch v.reason {
	case LagAboveTarget, LoadAboveCapacity:
		return AtCap
	}
	return v.reason
}

// ceiling is the most that a pod may be given at present, and why it is no more.
func (c *choice) ceiling() (CPU, string) {
	enough, r, found := c.History.useless(c.History.resizes, c.now, c.Policy, c.Now)
	switch most := c.most(); {
	case found && CPU(enough) < most:
		return CPU(enough), c.say("%v instead of %v did not help", CPU(r.to), CPU(r.from))
	case most == c.Resize.Room:
		return most, "its node has no room for more: " + c.Resize.Message
	default:
		return most, c.say("vertical.maxCPU is %v", c.Policy.Vertical.Max)
	}
}

// neededCPU is the limit with which the present pods serve what an assessment
// shows, at most mostRaise times what they have.
func (c *choice) neededCPU(a *assessment) CPU {
	next := c.next(c.CPU)
	need := a.demand(c.Policy, true)
	if c.withCPU(a, c.CPU) <= 0 {
		if a.behindAny(c.Policy.TargetLag) {
			return next
		}
		return c.CPU
	}
	for limit := range c.limits {
		if limit > max(next, mostRaise*c.CPU) {
			break
		}
		if need.serves(c.Current, c.withCPU(a, limit), headroom) {
			if limit <= c.CPU && a.behindAny(c.Policy.TargetLag) && !a.catchingUp(c.Policy) {
				return next // what is known of the capacity says that it is enough, and it is not
			}
			return limit
		}
		next = max(next, limit)
	}
	return next
}

// spare is the share of the pods' capacity that is planned with when they are given
// less CPU. It is below headroom, so that a little more load does not bring the CPU
// back.
const spare = 0.8

// lessCPU takes back what has not been needed for DownWindow. That costs no
// rebalance, so it comes before any pod is taken away.
func (c *choice) lessCPU(v verdict) *verdict {
	base := c.Policy.Vertical.Base
	if c.CPU <= base || !c.known() {
		return nil
	}
	switch v.reason {
	case LoadBelowCapacity, OnTarget, Stabilizing:
	default:
		return nil
	}
	want := c.enoughCPU(c.now)
	if want >= c.CPU {
		if v.to < c.Current {
			return c.resize(c.CPU, OnTarget, "fewer pods would be enough only if each kept its %v of CPU", c.CPU)
		}
		return nil
	}
	window := c.downWindow()
	if window == nil {
		return c.resize(c.CPU, Stabilizing, "%v of CPU may be enough for each pod, but the last change, or what is known, is no %v back", want, c.Policy.DownWindow)
	}
	all := c.now.samples
	for n := len(all) - len(window) + 1; n <= len(all); n++ {
		if a := c.assess(all[:n]); a.settled {
			want = max(want, c.enoughCPU(a))
		}
	}
	if want >= c.CPU {
		return c.resize(c.CPU, Stabilizing, "less CPU may be enough for each pod, but has not been for %v", c.Policy.DownWindow)
	}
	return c.resize(want, LoadBelowCapacity, "%s: %s", c.load(), gets(c.CPU, want))
}

// enoughCPU is the lowest limit that is enough for what an assessment shows; the
// present one if it does not show it.
func (c *choice) enoughCPU(a *assessment) CPU {
	if a.behindAny(c.Policy.TargetLag) || c.withCPU(a, c.CPU) <= 0 {
		return c.CPU
	}
	need := a.demand(c.Policy, true)
	for limit := range c.limits {
		if limit >= c.CPU {
			break
		}
		if need.serves(c.Current, c.withCPU(a, limit), spare) && !c.provenTooLittle(a, limit) {
			return limit
		}
	}
	return c.CPU
}

// provenTooLittle reports whether some partition needs more now than it got when
// the pods had that much CPU and it was worked off without a pause.
func (c *choice) provenTooLittle(a *assessment, cpu CPU) bool {
	for _, r := range c.History.resizes {
		if CPU(r.from) < cpu || c.Now.Sub(r.before.at) > c.Policy.RaiseMemory {
			continue
		}
		for _, p := range a.partitions {
			was, found := find(r.before.partitions, p.id)
			if found && was.flat > 0 && was.behind(c.Policy.TargetLag) && p.arrived > spare*was.flat*float64(cpu)/float64(r.from) {
				return true
			}
		}
	}
	return false
}
