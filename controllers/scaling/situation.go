package scaling

import "slices"

// situation holds everything that the rules read: the Input, the bounds on the number of
// pods, and the meaning of the newest samples. No rule changes it.
type situation struct {
	Input
	floor, cap int32
	// newest is nil while there is no sample.
	newest *assessment
}

func newSituation(in Input) *situation {
	in.Policy = in.Policy.withDefaults()
	if in.History == nil {
		in.History = new(History)
	}
	s := &situation{Input: in, cap: max(0, in.Policy.Max)}
	if in.Partitions > 0 {
		s.cap = min(s.cap, in.Partitions)
	}
	s.floor = min(max(0, in.Policy.Min), s.cap)
	if len(in.History.samples) > 0 {
		s.newest = s.assess(in.History.samples)
	}
	return s
}

func (s *situation) assess(samples []Sample) *assessment {
	return assess(samples, s.Policy.RebalanceWait, s.Policy.StuckAfter)
}

// ratesKnown reports whether the newest rates are those of the present pods.
func (s *situation) ratesKnown() bool {
	return s.newest != nil && s.newest.settled && !s.newest.stalled && s.KafkaReachable && s.Current == s.newest.last().Replicas
}

// allReady reports whether all pods of the newest sample are ready.
func (s *situation) allReady() bool { return s.newest.last().Ready >= s.newest.last().Replicas }

// throughoutUpWindow reports whether a condition has held throughout UpWindow.
func (s *situation) throughoutUpWindow(holds func(*assessment) bool) bool {
	from := s.newest.last().At.Add(-s.Policy.UpWindow)
	samples := s.newest.samples
	for len(samples) > 0 {
		a := s.assess(samples)
		if !a.settled || !holds(a) {
			return false
		}
		if !a.last().At.After(from) {
			return true
		}
		samples = samples[:len(samples)-1]
	}
	return false
}

// downWindow returns the samples of the last DownWindow if they go back that far
// without an interruption or another change of the pods, and nil otherwise.
func (s *situation) downWindow() []Sample {
	from := s.Now.Add(-s.Policy.DownWindow)
	samples := s.newest.samples
	first := len(samples) - 1
	for first >= 0 && samples[first].Replicas == s.Current && samples[first].CPU == s.newest.last().CPU && samples[first].At.After(from) {
		first--
	}
	if first < 0 || samples[first].Replicas != s.Current || samples[first].CPU != s.newest.last().CPU {
		return nil
	}
	return samples[first:]
}

// settledIn yields an assessment at each sample of the window, which ends now, at which
// the pods had settled.
func (s *situation) settledIn(window []Sample) func(yield func(*assessment) bool) {
	return func(yield func(*assessment) bool) {
		all := s.newest.samples
		for n := len(all) - len(window) + 1; n <= len(all); n++ {
			if a := s.assess(all[:n]); a.settled && !yield(a) {
				return
			}
		}
	}
}

// capacity returns the rate that one pod can be relied on to process, 0 if it is unknown.
func (s *situation) capacity(a *assessment) float64 {
	capacity := a.capacity
	if capacity <= 0 {
		capacity = s.History.capacityWith(a.last().CPU)
	}
	if proven := s.History.proven(s.Policy, s.Now, a.last().CPU); proven > 0 && !a.flatOut {
		capacity = min(capacity, proven)
	}
	return capacity
}

// continuesRestored reports whether the History is short only because the operator has
// restarted: it has no interruption and no change of the pods, and the figures that were
// restored into it cover the time before.
func (s *situation) continuesRestored() bool {
	if !s.History.restored || len(s.newest.samples) < len(s.History.samples) {
		return false
	}
	if !s.LastChange.IsZero() && s.Now.Sub(s.LastChange) < s.Policy.DownWindow {
		return false
	}
	return !slices.ContainsFunc(s.newest.samples, func(other Sample) bool { return other.Replicas != s.Current })
}

// idleSinceBefore reports whether nothing has happened for DownWindow, according to the
// figures from before the restart.
func (s *situation) idleSinceBefore() bool {
	idle := s.History.idle
	return s.continuesRestored() && !idle.Since.IsZero() && s.Now.Sub(idle.Since) >= s.Policy.DownWindow
}

// enoughSinceBefore returns the fewest pods that have been enough for DownWindow,
// according to the figures from before the restart.
func (s *situation) enoughSinceBefore() (pods int32, known bool) {
	if !s.continuesRestored() || s.History.enoughOf != s.Current {
		return 0, false
	}
	for _, e := range s.History.enough {
		if s.Now.Sub(e.Since) >= s.Policy.DownWindow {
			return e.Pods, true
		}
	}
	return 0, false
}
