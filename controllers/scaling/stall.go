package scaling

import "time"

// stall is the time without any processing, while records wait, that says nothing
// about the capacity of the pods.
const stall = 30 * time.Second

// cutStall returns the samples after a stall. If there is none it returns all samples;
// if the stall has not ended it returns all samples and true. Several stalls look like
// slow records, so they stay in.
func cutStall(samples []Sample) (afterStall []Sample, stalled bool) {
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

// still reports whether nothing was processed between two samples although records
// waited.
func still(two []Sample) bool { return total(two) == 0 && two[0].totalLag() > 0 }
