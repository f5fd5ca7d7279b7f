package scaling

import "time"

// Policy is how to scale. A duration of zero means the default.
type Policy struct {
	// Min and Max bound the number of pods. With Min 0 none runs while there is
	// nothing to read.
	Min, Max int32
	// TargetLag is how long a record may wait before it is processed; 30 s by
	// default.
	TargetLag time.Duration

	// Vertical is about the CPU of each pod.
	Vertical Vertical
	// Activation is how many records may wait while no pod runs.
	Activation int64
	// Cooldown is the least time from one change to the next.
	Cooldown time.Duration

	// CatchUp is the time in which what has piled up is to be worked off, beside
	// what arrives meanwhile. Default 2 min, at least TargetLag.
	CatchUp time.Duration
	// UpWindow is how long more pods have to be needed before they are added.
	// Default 15 s, at most 10 min.
	UpWindow time.Duration
	// DownWindow is how long fewer pods have to suffice before any is taken
	// away, and how long nothing has to arrive before none is left. A pod is
	// taken away no sooner than that after any other change. Default 5 min, at
	// most 10 min.
	DownWindow time.Duration
	// RebalanceWait is how long the pods have to have been the same ones before
	// their rates are judged. Default 20 s.
	RebalanceWait time.Duration
	// StuckAfter is how long the committed offset of a partition has to stand
	// still, while others move, to be taken for stuck. Default 1 min.
	StuckAfter time.Duration
	// RaiseMemory is how long a raise that did not help is remembered, and not
	// repeated. Default 1 h.
	RaiseMemory time.Duration
}

// The defaults of Policy.
const (
	DefaultTargetLag     = 30 * time.Second
	DefaultCatchUp       = 2 * time.Minute
	DefaultUpWindow      = 15 * time.Second
	DefaultDownWindow    = 5 * time.Minute
	DefaultRebalanceWait = 20 * time.Second
	DefaultStuckAfter    = time.Minute
	DefaultRaiseMemory   = time.Hour
)

// maxWindow is what a History covers even if some samples are missed.
const maxWindow = 10 * time.Minute

// withDefaults fills in what is not set.
func (p Policy) withDefaults() Policy {
	fill := func(field *time.Duration, value time.Duration) {
		if *field <= 0 {
			*field = value
		}
	}
	fill(&p.TargetLag, DefaultTargetLag)
	fill(&p.CatchUp, DefaultCatchUp)
	fill(&p.UpWindow, DefaultUpWindow)
	fill(&p.DownWindow, DefaultDownWindow)
	fill(&p.RebalanceWait, DefaultRebalanceWait)
	fill(&p.StuckAfter, DefaultStuckAfter)
	fill(&p.RaiseMemory, DefaultRaiseMemory)
	p.CatchUp = max(p.CatchUp, p.TargetLag)
	p.DownWindow = min(p.DownWindow, maxWindow)
	p.UpWindow = min(p.UpWindow, maxWindow)
	return p
}
