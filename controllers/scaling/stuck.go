package scaling

import (
	"slices"
	"time"
)

// stuckPartitions returns the stuck partitions of the last sample: those with something
// to process whose committed offset does not move. A partition counts as stuck if a
// worker says so, or if its offset has not moved for the given time while that of
// another partition has.
func stuckPartitions(samples []Sample, after time.Duration) []int32 {
	last := &samples[len(samples)-1]
	var still []int32
	moved := false
	for _, p := range last.Partitions {
		switch {
		case last.lag(p) == 0:
		case slices.Contains(last.Stuck, p.ID), unmovedFor(p, samples) >= after:
			still = append(still, p.ID)
		}
		if !slices.Contains(last.Stuck, p.ID) {
			moved = moved || movedWithin(p, since(samples, last.At.Add(-after)))
		}
	}
	return slices.DeleteFunc(still, func(id int32) bool {
		return !moved && !slices.Contains(last.Stuck, id)
	})
}

// unmovedFor returns the time for which the offset of p has not moved although there
// was something to process and a pod was ready.
func unmovedFor(p Partition, samples []Sample) time.Duration {
	last := len(samples) - 1
	first := last
	for i := last; i >= 0; i-- {
		s := &samples[i]
		q, ok := s.partition(p.ID)
		if !ok || s.Ready == 0 || s.lag(q) == 0 || s.from(q) != samples[last].from(p) {
			break
		}
		first = i
	}
	return samples[last].At.Sub(samples[first].At)
}

// movedWithin reports whether the offset of p has moved since the first sample.
func movedWithin(p Partition, samples []Sample) bool {
	last := &samples[len(samples)-1]
	q, ok := samples[0].partition(p.ID)
	return ok && last.from(p) > samples[0].from(q)
}
