package scaling

// takeBack undoes a raise that did not help.
func (c *choice) takeBack() *verdict {
	enough, r, found := c.History.useless(c.History.raises, c.now, c.Policy, c.Now)
	if !found || r.to != c.Current {
		return nil
	}
	// The other partitions may need more than those that it did not help.
	if c.now.capacity > 0 && !c.now.flatOut {
		enough = max(enough, c.now.demand(c.Policy, true).pods(c.now.capacity, c.cap))
	}
	if enough = useful(enough, c.Partitions); enough >= c.Current {
		return nil
	}
	return c.change(enough, RaiseDidNotHelp, "%d pods process no more than %d would; %s", c.Current, enough, c.load())
}

// idle takes all pods away when nothing has arrived for DownWindow and nothing
// is left. What is stuck is left too.
func (c *choice) idle() *verdict {
	if c.floor > 0 || c.now.lag > 0 {
		return nil
	}
	window := c.downWindow()
	switch {
	case window == nil && !c.idleFor(c.Policy.DownWindow):
		return nil
	case window == nil:
		window = c.now.samples
	}
	for _, p := range c.now.last().Partitions {
		if q, ok := window[0].partition(p.ID); !ok || q.End != p.End {
			return nil
		}
	}
	return c.change(0, Idle, "nothing has arrived for %v, and nothing is left", c.Policy.DownWindow)
}

// downWindow returns the samples of the last DownWindow if they go back that far
// without an interruption or another change of the pods.
func (c *choice) downWindow() []Sample {
	from := c.Now.Add(-c.Policy.DownWindow)
	samples := c.now.samples
	first := len(samples) - 1
	for first >= 0 && samples[first].Replicas == c.Current && samples[first].CPU == c.now.last().CPU && samples[first].At.After(from) {
		first--
	}
	if first < 0 || samples[first].Replicas != c.Current || samples[first].CPU != c.now.last().CPU {
		return nil
	}
	return samples[first:]
}

// lower takes pods away, as many at once as have not been needed at any time in
// DownWindow: each time costs a rebalance.
func (c *choice) lower() *verdict {
	want := max(c.fewest(c.now), 1, c.floor)
	if want >= c.Current {
		return nil
	}
	window := c.downWindow()
	if enough, known := c.enoughFor(c.Policy.DownWindow); window == nil && known {
		if want = max(want, enough); want < c.Current {
			return c.fewer(want)
		}
	}
	if window == nil {
		return c.stay(Stabilizing, "%d pods may be enough, but the last change, or what is known, is no %v back", want, c.Policy.DownWindow)
	}
	earlier, later := c.mostOf(window)
	want = max(want, earlier, later)
	switch {
	case want >= c.Current:
		return c.stay(Stabilizing, "fewer pods may be enough, but have not been for %v", c.Policy.DownWindow)
	case earlier > later:
		return c.stay(Stabilizing, "fewer than %d pods may be enough soon, and a second change would cost a second rebalance", want)
	}
	return c.fewer(want)
}

func (c *choice) fewer(want int32) *verdict {
	return c.change(want, LoadBelowCapacity, "%s, and %d pods can process %s",
		c.load(), want, rate(float64(want)*c.capacity(c.now)))
}

// mostOf is the most pods that were needed at any time in the first and in the
// second half of the window, which ends now.
func (c *choice) mostOf(window []Sample) (earlier, later int32) {
	all := c.now.samples
	middle := c.Now.Add(-c.Policy.DownWindow / 2)
	for n := len(all) - len(window) + 1; n <= len(all); n++ {
		a := c.assess(all[:n])
		switch {
		case !a.settled:
		case a.last().At.Before(middle):
			earlier = max(earlier, c.fewest(a))
		default:
			later = max(later, c.fewest(a))
		}
	}
	return earlier, later
}

// fewest is how many pods are enough for what an assessment shows; as many as
// there are if it does not show it.
func (c *choice) fewest(a *assessment) int32 {
	capacity := c.capacity(a)
	if capacity <= 0 || a.behindAny(c.Policy.TargetLag) {
		return c.Current
	}
	need := a.demand(c.Policy, true)
	for i, r := range a.partitions {
		// They have to make up for the pause that the change itself brings.
		need[len(a.stuck)+i] += r.arrived * c.History.pause.learned.Seconds() / (2 * c.Policy.CatchUp.Seconds())
	}
	return need.pods(capacity, c.Partitions)
}

// capacity is what one pod can be relied on to process; 0 if that is not known.
func (c *choice) capacity(a *assessment) float64 {
	capacity := a.capacity
	if capacity <= 0 {
		capacity = c.History.capacityWith(a.last().CPU)
	}
	if proven := c.History.proven(c.Policy, c.Now, a.last().CPU); proven > 0 && !a.flatOut {
		capacity = min(capacity, proven)
	}
	return capacity
}
