package scaling

import (
	"math"
	"slices"
)

// Measurement says how far the processing is behind.
type Measurement struct {
	// Lag is the number of offsets in all partitions, including stuck ones.
	Lag int64
	// LagSeconds is the time that the worst partition needs at the present rate, not
	// counting stuck ones. It is nil while nothing is processed although there is
	// something to process, and while the rates are unknown.
	LagSeconds *int64
	// ArrivedPerSecond and ProcessedPerSecond are the present rates, not counting
	// stuck partitions.
	ArrivedPerSecond, ProcessedPerSecond float64
	// Saturation is that of the last Sample, below 0 if it is unknown.
	Saturation float64
	// Partitions are those of the last Sample, by number.
	Partitions []PartitionLag
	// Stuck are the numbers of the partitions that do not move although there is
	// something to process, while other partitions move or a worker reports them.
	Stuck []int32
}

// PartitionLag says how far one partition is behind.
type PartitionLag struct {
	ID int32
	// Committed is as in the Sample.
	Committed, Lag int64
	// LagSeconds is nil while it is unknown, and for a stuck partition.
	LagSeconds *int64
	Stuck      bool
}

// Measure returns the state at the last Sample. Without a Sample it returns a zero
// Measurement with Saturation -1.
func Measure(h *History) Measurement {
	if len(h.samples) == 0 {
		return Measurement{Saturation: -1}
	}
	a := &assessment{samples: unbroken(h.samples)}
	a.measure(a.samples, DefaultStuckAfter)
	m := Measurement{
		Lag: a.lag, ArrivedPerSecond: a.arrived, ProcessedPerSecond: a.processed,
		Saturation: a.last().Saturation, Stuck: a.stuck,
	}
	for _, p := range a.last().Partitions {
		lag := PartitionLag{ID: p.ID, Committed: p.Committed, Lag: a.last().lag(p), Stuck: slices.Contains(a.stuck, p.ID)}
		if r, ok := find(a.partitions, p.ID); ok {
			lag.LagSeconds = wholeSeconds(r.waits)
		}
		m.Partitions = append(m.Partitions, lag)
	}
	m.LagSeconds = wholeSeconds(a.waits())
	return m
}

// waits returns the time in seconds that the worst partition needs, +Inf while nothing
// is processed.
func (a *assessment) waits() float64 {
	worst := 0.0
	for _, r := range a.partitions {
		worst = max(worst, r.waits)
	}
	if a.waiting() && a.processed == 0 {
		return math.Inf(1)
	}
	return worst
}

// waiting reports whether some partition has records that have not just arrived.
func (a *assessment) waiting() bool {
	return slices.ContainsFunc(a.partitions, func(r rates) bool { return r.lag > 0 && !r.fresh })
}

// wholeSeconds rounds up to a whole number of seconds. It returns nil for infinity.
func wholeSeconds(s float64) *int64 {
	if math.IsInf(s, 0) {
		return nil
	}
	whole := int64(math.Ceil(s))
	return &whole
}
