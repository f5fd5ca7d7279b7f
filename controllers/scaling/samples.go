package scaling

import (
	"slices"
	"sort"
	"time"
)

// since returns the samples from t on.
func since(samples []Sample, t time.Time) []Sample {
	return samples[sort.Search(len(samples), func(i int) bool { return !samples[i].At.Before(t) }):]
}

// latest returns the newest samples that cover at least d, or all samples.
func latest(samples []Sample, d time.Duration) []Sample {
	first := len(samples) - 1
	for first > 0 && span(samples[first:]) < d {
		first--
	}
	return samples[max(first, 0):]
}

// span returns the time that the samples cover.
func span(samples []Sample) time.Duration {
	if len(samples) < 2 {
		return 0
	}
	return samples[len(samples)-1].At.Sub(samples[0].At)
}

// total returns the number of offsets that were processed between the first and the
// last sample.
func total(samples []Sample) int64 {
	if len(samples) < 2 {
		return 0
	}
	first, last := &samples[0], &samples[len(samples)-1]
	var sum int64
	for _, p := range last.Partitions {
		if q, ok := first.partition(p.ID); ok {
			sum += max(0, last.from(p)-first.from(q))
		}
	}
	return sum
}

// minGap is the shortest time without a sample that counts as an interruption.
const minGap = 45 * time.Second

// unbroken returns the newest samples without an interruption between them, that is
// without a long time in which Kafka did not answer.
func unbroken(samples []Sample) []Sample {
	if len(samples) < 2 {
		return samples
	}
	spacings := make([]time.Duration, 0, len(samples)-1)
	for i := range samples[1:] {
		spacings = append(spacings, samples[i+1].At.Sub(samples[i].At))
	}
	slices.Sort(spacings)
	limit := max(minGap, 3*spacings[len(spacings)/2])
	first := len(samples) - 1
	for first > 0 && samples[first].At.Sub(samples[first-1].At) <= limit {
		first--
	}
	return samples[first:]
}

// samePods returns the newest samples during which the pods did not change.
func samePods(samples []Sample) []Sample {
	if len(samples) == 0 {
		return nil
	}
	last := samples[len(samples)-1]
	first := len(samples)
	for first > 0 {
		s := samples[first-1]
		if s.Rebalancing || s.Replicas != last.Replicas || s.Ready != last.Ready || s.CPU != last.CPU {
			break
		}
		first--
	}
	return samples[first:]
}
