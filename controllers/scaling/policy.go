package scaling

import "time"

// Policy holds the settings of the autoscaling. A duration of zero means the default.
type Policy struct {
	// Min and Max bound the number of pods. With Min 0 no pod runs while there is
	// nothing to read.
	Min, Max int32
	// TargetLag is the longest time that a record should wait before it is
	// processed. Default 30 s.
	TargetLag time.Duration

	// Vertical bounds the CPU of each pod.
	Vertical Vertical
	// Activation is the number of records that may wait while no pod runs.
	Activation int64
	// Cooldown is the shortest time between two changes.
	Cooldown time.Duration

	// CatchUp is the time in which the pods should work off a backlog, in addition
	// to the records that arrive during that time. Default 2 min, at least TargetLag.
	CatchUp time.Duration
	// UpWindow is the time for which more pods have to be needed before Decide adds
	// any. Default 15 s, at most 10 min.
	UpWindow time.Duration
	// DownWindow is the time for which fewer pods have to be enough before Decide
	// takes any away, and for which nothing may arrive before it takes the last one
	// away. Decide also waits this long after any other change before it takes a pod
	// away. Default 5 min, at most 10 min.
	DownWindow time.Duration
	// RebalanceWait is the time after a change of the pods in which their rates do
	// not count. Default 20 s.
	RebalanceWait time.Duration
	// StuckAfter is the time after which a partition counts as stuck if its
	// committed offset has not moved while others have. Default 1 min.
	StuckAfter time.Duration
	// RaiseMemory is the time for which a raise that did not help is not repeated.
	// Default 1 h.
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

// maxWindow is a time that a History covers even if some samples are missing.
const maxWindow = 10 * time.Minute

// withDefaults returns p with the defaults in the place of zeros, and with the
// windows within their bounds.
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
