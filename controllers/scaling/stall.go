package scaling

import "time"

// stall is how long nothing has to be processed, though something waits, for
// that time to tell nothing of what the pods can do.
const stall = 30 * time.Second

// cutStall returns the samples after a stall, or all and that it has not ended.
// More than one stall is how slow records look: they are left in.
func cutStall(samples []Sample) (rest []Sample, stalled bool) {
	stalls, end := 0, 0
	for first := 0; first < len(samples)-1; first++ {
		last := first
		for last < len(samples)-1 && still(samples[last:last+2]) {
			last++
		}
		if span(samples[first:last+1]) >= stall {
			stalls, end = stalls+1, last
		}
		first = max(first, last-1)
	}
	switch {
	case stalls != 1:
		return samples, false
	case end == len(samples)-1:
		return samples, true
	default:
		return samples[end:], false
	}
}

// still reports whether nothing was processed between two samples, though
// something waited.
func still(two []Sample) bool { return total(two) == 0 && two[0].totalLag() > 0 }
