package scaling

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// How long samples are kept, and how close together.
const (
	keep         = 15 * time.Minute
	fineFor      = 2 * time.Minute
	fineSpacing  = 2 * time.Second
	roughSpacing = 15 * time.Second
)

// History is what was known over the last quarter of an hour, thinned out, and
// what the last raises came to, for longer. The zero value is empty. It is not
// safe for concurrent use.
type History struct {
	samples  []Sample // by At
	raises   []raise  // of the number of pods, by at
	resizes  []raise  // of the pods' CPU, by at
	capacity float64  // of one pod, records per second, as last known; 0 for unknown
	cpu      CPU      // that the pod had, 0 for unknown
	pause    pause
	idle     IdleSince
	// enough is about enoughOf pods.
	enough   []EnoughSince
	enoughOf int32
	shown    float64 // the capacity that Learned gave last
	restored bool
}

// Append adds a Sample, of which it keeps a copy. A Sample that is not newer
// than the last is ignored, so the same answer of Kafka may be appended again.
func (h *History) Append(s Sample) {
	if n := len(h.samples); n > 0 && !s.At.After(h.samples[n-1].At) {
		return
	}
	s.Partitions = slices.Clone(s.Partitions)
	slices.SortFunc(s.Partitions, func(a, b Partition) int { return cmp.Compare(a.ID, b.ID) })
	s.Stuck = slices.Clone(s.Stuck)
	h.noteRaise(&s)
	h.noteResize(&s)
	h.noteIdle(&s)
	h.notePause(&s)
	h.samples = append(h.samples, s)
	h.thin()
	h.learn()
}

// thin drops the samples that are too old, and of those that are too close
// together for their age all but the first.
func (h *History) thin() {
	last := len(h.samples) - 1
	now := h.samples[last].At
	kept := h.samples[:0]
	for i, s := range h.samples {
		spacing := fineSpacing
		if now.Sub(s.At) > fineFor {
			spacing = roughSpacing
		}
		close := len(kept) > 0 && s.At.Sub(kept[len(kept)-1].At) < spacing
		if now.Sub(s.At) > keep || close && i < last {
			continue
		}
		kept = append(kept, s)
	}
	clear(h.samples[len(kept):])
	h.samples = kept
}

// learn brings what is known of the pods up to date with the newest sample.
func (h *History) learn() {
	a := assess(h.samples, DefaultRebalanceWait, DefaultStuckAfter)
	if !a.settled || a.stalled {
		return
	}
	h.pause.end()
	if a.capacity > 0 {
		h.capacity, h.cpu = a.capacity, a.last().CPU
	}
	if n := len(h.raises); n > 0 && h.raises[n-1].to == a.last().Replicas && h.raises[n-1].verdict == nil {
		h.raises[n-1].after = a.served()
	}
	if n := len(h.resizes); n > 0 && CPU(h.resizes[n-1].to) == a.last().CPU && h.resizes[n-1].verdict == nil {
		h.resizes[n-1].after = a.served()
	}
}

// capacityWith is what one pod can process with that much CPU, as last known; 0 if
// it never was.
func (h *History) capacityWith(cpu CPU) float64 { return inProportion(h.capacity, h.cpu, cpu) }

// inProportion is the capacity with cpu of a pod that has it with another amount;
// the same where one of them is not known.
func inProportion(capacity float64, with, cpu CPU) float64 {
	if with <= 0 || cpu <= 0 {
		return capacity
	}
	return capacity * float64(cpu) / float64(with)
}

// since returns the samples from t on.
func since(samples []Sample, t time.Time) []Sample {
	return samples[sort.Search(len(samples), func(i int) bool { return !samples[i].At.Before(t) }):]
}

// minGap is the shortest time without a sample that counts as an interruption.
const minGap = 45 * time.Second

// unbroken returns the newest samples between which there is no interruption: no
// answer of Kafka was missed for long.
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
