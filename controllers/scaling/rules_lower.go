package scaling

// lowerRules take pods away.
type lowerRules struct{ *situation }

// toZero takes all pods away when no record has arrived for DownWindow and none is left.
// The records of a stuck partition count as left.
func (r lowerRules) toZero() *verdict {
	if r.floor > 0 || r.newest.lag > 0 {
		return nil
	}
	window := r.downWindow()
	switch {
	case window == nil && !r.idleSinceBefore():
		return nil
	case window == nil:
		window = r.newest.samples
	}
	for _, p := range r.newest.last().Partitions {
		if q, ok := window[0].partition(p.ID); !ok || q.End != p.End {
			return nil
		}
	}
	return r.change(0, Idle, "no records have arrived for %v, and none are left", r.Policy.DownWindow)
}

// lower takes away, at once, as many pods as were not needed at any time in DownWindow.
// Each change costs a rebalance.
func (r lowerRules) lower() *verdict {
	want := max(r.fewestPods(r.newest), 1, r.floor)
	if want >= r.Current {
		return nil
	}
	window := r.downWindow()
	if enough, known := r.enoughSinceBefore(); window == nil && known {
		if want = max(want, enough); want < r.Current {
			return r.lowerTo(want)
		}
	}
	if window == nil {
		return r.keep(Stabilizing, "%d pods may be enough, but the operator has measured the present pods for less than %v", want, r.Policy.DownWindow)
	}
	earlier, later := r.mostNeeded(window)
	want = max(want, earlier, later)
	switch {
	case want >= r.Current:
		return r.keep(Stabilizing, "fewer pods may be enough, but were not throughout the last %v", r.Policy.DownWindow)
	case earlier > later:
		return r.keep(Stabilizing, "fewer than %d pods may be enough soon, and a second change would cost a second rebalance", want)
	}
	return r.lowerTo(want)
}

func (r lowerRules) lowerTo(want int32) *verdict {
	return r.change(want, LoadBelowCapacity, "%s, and %d pods can process %s",
		r.load(), want, rate(float64(want)*r.capacity(r.newest)))
}

// mostNeeded returns the most pods that were needed at any time in the first and in the
// second half of the window, which ends now.
func (r lowerRules) mostNeeded(window []Sample) (earlier, later int32) {
	middle := r.Now.Add(-r.Policy.DownWindow / 2)
	for a := range r.settledIn(window) {
		if a.last().At.Before(middle) {
			earlier = max(earlier, r.fewestPods(a))
		} else {
			later = max(later, r.fewestPods(a))
		}
	}
	return earlier, later
}

// fewestPods returns the lowest number of pods that is enough according to an assessment,
// or the present number if the assessment does not show it.
func (r lowerRules) fewestPods(a *assessment) int32 {
	capacity := r.capacity(a)
	if capacity <= 0 || a.behindAny(r.Policy.TargetLag) {
		return r.Current
	}
	need := a.demand(r.Policy, true)
	for i, p := range a.partitions {
		// The pods have to make up for the pause that the change itself causes.
		need[len(a.stuck)+i] += p.arrived * r.History.pause.learned.Seconds() / (2 * r.Policy.CatchUp.Seconds())
	}
	return need.pods(capacity, r.Partitions)
}
