package scaling

import (
	"math"
	"slices"
)

// Measurement is how far the processing is behind.
type Measurement struct {
	// Lag is in offsets, of all partitions, those that are stuck too.
	Lag int64
	// LagSeconds is how long the worst partition takes to be worked off at the
	// present rate, stuck ones aside. It is nil while nothing is processed and
	// there is something to process, and while the rates are not known yet.
	LagSeconds *int64
	// ArrivedPerSecond and ProcessedPerSecond are the present rates; a stuck
	// partition counts for neither.
	ArrivedPerSecond, ProcessedPerSecond float64
	// Saturation is that of the last Sample, below 0 if it is not known.
	Saturation float64
	// Partitions are those of the last Sample, by their numbers.
	Partitions []PartitionLag
	// Stuck are the numbers of the partitions that do not move although there is
	// something to process, and other partitions move or a worker says so.
	Stuck []int32
}

// PartitionLag is how far one partition is behind.
type PartitionLag struct {
	ID int32
	// Committed is as in the Sample.
	Committed, Lag int64
	// LagSeconds is nil while it is not known, and for a partition that is
	// stuck.
	LagSeconds *int64
	Stuck      bool
}

// Measure tells how far the processing was behind at the last Sample. It is the
// zero Measurement, but for Saturation -1, while there is none.
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
			lag.LagSeconds = seconds(r.waits)
		}
		m.Partitions = append(m.Partitions, lag)
	}
	m.LagSeconds = seconds(a.waits())
	return m
}

// waits is that of the worst partition, +Inf while nothing is processed.
func (a *assessment) waits() float64 {
	worst := 0.0
	waiting := false
	for _, r := range a.partitions {
		worst = max(worst, r.waits)
		waiting = waiting || r.lag > 0 && !r.fresh
	}
	if waiting && a.processed == 0 {
		return math.Inf(1)
	}
	return worst
}

// seconds is a whole number of them, nil for infinity.
func seconds(s float64) *int64 {
	if math.IsInf(s, 0) {
		return nil
	}
	whole := int64(math.Ceil(s))
	return &whole
}
