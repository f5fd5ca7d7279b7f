package scaling

// spare is the share of the pods' capacity that Decide plans with when it takes CPU
// away. It is below headroom, so that a little more load does not bring the CPU back.
const spare = 0.8

// lower takes back CPU that has not been needed for DownWindow. That costs no rebalance,
// so it comes before any pod is taken away.
func (r cpuRules) lower(v verdict) *verdict {
	if r.CPU <= r.limits.base || !r.ratesKnown() {
		return nil
	}
	switch v.reason {
	case LoadBelowCapacity, OnTarget, Stabilizing:
	default:
		return nil
	}
	want := r.enoughCPU(r.newest)
	if want >= r.CPU {
		if v.to < r.Current {
			return r.resize(r.CPU, OnTarget, "fewer pods would be enough only if each kept its %v of CPU", r.CPU)
		}
		return nil
	}
	window := r.downWindow()
	if window == nil {
		return r.resize(r.CPU, Stabilizing, "%v of CPU may be enough for each pod, but the operator has measured the present pods for less than %v", want, r.Policy.DownWindow)
	}
	for a := range r.settledIn(window) {
		want = max(want, r.enoughCPU(a))
	}
	if want >= r.CPU {
		return r.resize(r.CPU, Stabilizing, "less CPU may be enough for each pod, but was not throughout the last %v", r.Policy.DownWindow)
	}
	return r.resize(want, LoadBelowCapacity, "%s: %s", r.load(), cpuChange(r.CPU, want))
}

// enoughCPU returns the lowest limit that is enough according to an assessment, or the
// present limit if the assessment does not show it.
func (r cpuRules) enoughCPU(a *assessment) CPU {
	if a.behindAny(r.Policy.TargetLag) || r.capacityWith(a, r.CPU) <= 0 {
		return r.CPU
	}
	need := a.demand(r.Policy, true)
	for limit := range r.limits.all {
		if limit >= r.CPU {
			break
		}
		if need.serves(r.Current, r.capacityWith(a, limit), spare) && !r.provenTooLittle(a, limit) {
			return limit
		}
	}
	return r.CPU
}

// provenTooLittle reports whether some partition needs more now than it got when the pods
// had that much CPU and processed it without a pause.
func (r cpuRules) provenTooLittle(a *assessment, cpu CPU) bool {
	for _, past := range r.History.resizes {
		if CPU(past.from) < cpu || r.Now.Sub(past.before.at) > r.Policy.RaiseMemory {
			continue
		}
		for _, p := range a.partitions {
			earlier, found := find(past.before.partitions, p.id)
			if found && earlier.flat > 0 && earlier.behind(r.Policy.TargetLag) && p.arrived > spare*earlier.flat*float64(cpu)/float64(past.from) {
				return true
			}
		}
	}
	return false
}
