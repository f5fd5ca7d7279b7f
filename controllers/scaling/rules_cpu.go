package scaling

import "fmt"

// cpuRules add the CPU to a verdict about the number of pods: more where more pods can't
// help, and less, before pods are taken away, when it is no longer needed.
type cpuRules struct {
	*situation
	limits limits
}

// complete returns the verdict with the CPU of each pod.
func (r cpuRules) complete(v verdict) verdict {
	base := r.Policy.Vertical.Base
	switch {
	case !r.Policy.Vertical.used():
		v.cpu = r.CPU
		return v
	case v.to == 0, r.CPU == 0:
		v.cpu = base // for the pods that start next
		return v
	}
	v.cpu = r.CPU
	for _, rule := range []func(verdict) *verdict{r.outOfBounds, r.takeBack, r.raise, r.lower} {
		if changed := rule(v); changed != nil {
			return *changed
		}
	}
	return v
}

// outOfBounds brings the CPU within its bounds at once.
func (r cpuRules) outOfBounds(v verdict) *verdict {
	switch most := r.limits.most; {
	case r.CPU > most && most == r.Resize.Room:
		return r.resize(most, NoRoom, "no node has room for a pod with %v of CPU: %s", r.CPU, r.Resize.Message)
	case r.CPU > most:
		return r.resize(most, AboveCap, "%v of CPU for a pod is too much: vertical.maxCPU is %v", r.CPU, r.Policy.Vertical.Max)
	case r.CPU < r.limits.base:
		v.cpu = r.limits.base
		return &v
	}
	return nil
}

// takeBack undoes a raise of the CPU that did not help.
func (r cpuRules) takeBack(v verdict) *verdict {
	if v.to != r.Current || !r.ratesKnown() || r.resizing() {
		return nil
	}
	enough, useless, found := r.History.resizes.useless(r.newest, r.Policy, r.Now)
	if !found || CPU(useless.to) != r.CPU {
		return nil
	}
	for limit := range r.limits.all {
		if limit >= CPU(enough) && limit < r.CPU {
			return r.resize(limit, MoreCPUDidNotHelp, "with %v of CPU each, the pods process no more than with %v; %s", r.CPU, limit, r.load())
		}
	}
	return nil
}

// raise gives each pod more CPU where more pods can't help.
func (r cpuRules) raise(v verdict) *verdict {
	if !r.podsDoNotHelp(v) || !r.ratesKnown() {
		return nil
	}
	if r.resizing() {
		message := r.Resize.Message
		if message == "" {
			message = "the operator is changing the pods' CPU"
		}
		return r.resize(r.CPU, ResizePending, "%s; each pod is to get %v of CPU: %s", v.message, r.CPU, message)
	}
	ceiling, why := r.ceiling()
	switch {
	case r.CPU >= ceiling:
		return r.resize(r.CPU, v.reasonToKeep(), "%s; each pod has %v of CPU, and %s", v.message, r.CPU, why)
	case !r.allReady():
		return r.resize(r.CPU, PodsNotReady, "the pods need more CPU, but only %d of %d are ready", r.newest.last().Ready, r.Current)
	case !r.throughoutUpWindow(func(a *assessment) bool { return r.cpuNeeded(a) > r.CPU }):
		return r.resize(r.CPU, Stabilizing, "the pods need more CPU, but have not for %v yet", r.Policy.UpWindow)
	}
	to := min(r.cpuNeeded(r.newest), ceiling)
	if r.History.resizes.anyFailed(r.Policy) {
		to = min(to, r.limits.above(r.CPU))
	}
	return r.resize(to, MorePodsDoNotHelp, "%s: %s", v.message, cpuChange(r.CPU, to))
}

// podsDoNotHelp reports whether v keeps the number of pods although partitions need more
// than they get.
func (r cpuRules) podsDoNotHelp(v verdict) bool {
	switch v.reason {
	case HotPartition, AtCap, RaiseDidNotHelp:
		return v.to == r.Current
	case LagAboveTarget, LoadAboveCapacity:
		return v.to > r.Current && r.Current >= r.cap
	}
	return false
}

// reasonToKeep returns the reason of v, or AtCap if v asks for more pods than are allowed.
func (v verdict) reasonToKeep() Reason {
	switch v.reason {
	case LagAboveTarget, LoadAboveCapacity:
		return AtCap
	}
	return v.reason
}

// resizing reports whether the newest sample is not yet one of pods with the CPU that was
// decided.
func (r cpuRules) resizing() bool { return r.Resize.Pending || r.newest.last().CPU != r.CPU }

// ceiling returns the most CPU that a pod may get at present, and the reason for this
// bound.
func (r cpuRules) ceiling() (CPU, string) {
	enough, useless, found := r.History.resizes.useless(r.newest, r.Policy, r.Now)
	switch most := r.limits.most; {
	case found && CPU(enough) < most:
		return CPU(enough), fmt.Sprintf("%v instead of %v did not help", CPU(useless.to), CPU(useless.from))
	case most == r.Resize.Room:
		return most, "its node has no room for more: " + r.Resize.Message
	default:
		return most, fmt.Sprintf("vertical.maxCPU is %v", r.Policy.Vertical.Max)
	}
}

// cpuNeeded returns the limit with which the present pods serve the demand of an
// assessment, at most mostRaise times the present limit.
func (r cpuRules) cpuNeeded(a *assessment) CPU {
	next := r.limits.above(r.CPU)
	need := a.demand(r.Policy, true)
	if r.capacityWith(a, r.CPU) <= 0 {
		if a.behindAny(r.Policy.TargetLag) {
			return next
		}
		return r.CPU
	}
	for limit := range r.limits.all {
		if limit > max(next, mostRaise*r.CPU) {
			break
		}
		if need.serves(r.Current, r.capacityWith(a, limit), headroom) {
			if limit <= r.CPU && a.behindAny(r.Policy.TargetLag) && !a.catchingUp(r.Policy) {
				return next // the measured capacity says that limit is enough, but it is not
			}
			return limit
		}
		next = max(next, limit)
	}
	return next
}

// capacityWith returns the rate that one pod can process with that much CPU, 0 if it is
// unknown.
func (r cpuRules) capacityWith(a *assessment, cpu CPU) float64 {
	if a.last().CPU <= 0 {
		return 0
	}
	return r.capacity(a) * float64(cpu) / float64(a.last().CPU)
}
