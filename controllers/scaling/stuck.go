package scaling

import (
	"slices"
	"time"
)

// stuckPartitions are those of the last sample whose committed offset stands
// still although there is something to process: if a worker says so, or if it
// has for long enough while another partition moved.
func stuckPartitions(samples []Sample, after time.Duration) []int32 {
	last := &samples[len(samples)-1]
	var still []int32
	moved := false
	for _, p := range last.Partitions {
		switch {
		case last.lag(p) == 0:
		case slices.Contains(last.Stuck, p.ID), stands(p, samples) >= after:
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

// stands is for how long the offset of p has stood still, with something to
// process and pods to do it.
func stands(p Partition, samples []Sample) time.Duration {
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

func movedWithin(p Partition, samples []Sample) bool {
	last := &samples[len(samples)-1]
	q, ok := samples[0].partition(p.ID)
	return ok && last.from(p) > samples[0].from(q)
}
