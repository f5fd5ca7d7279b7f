package scaling

import (
	"cmp"
	"slices"
	"time"
)

// History keeps samples for this long, and the older ones at a wider spacing.
const (
	keep         = 15 * time.Minute
	fineFor      = 2 * time.Minute
	fineSpacing  = 2 * time.Second
	roughSpacing = 15 * time.Second
)

// History holds the samples of the last quarter of an hour, thinned out, and for
// longer the effect of the last raises. The zero value is empty. A History is not safe
// for concurrent use.
type History struct {
	samples  []Sample // by At
	raises   raises   // of the number of pods
	resizes  raises   // of the pods' CPU
	capacity float64  // last known capacity of one pod, records per second; 0 if unknown
	cpu      CPU      // of the pod with that capacity, 0 if unknown
	pause    pause
	idle     IdleSince
	// enough holds the numbers of pods that would have been enough while there were
	// enoughOf pods.
	enough   []EnoughSince
	enoughOf int32
	shown    float64 // the capacity in the last result of Learned
	restored bool
}

// Append adds a copy of s. It ignores a Sample that is not newer than the last one, so
// the caller may append the same answer of Kafka again.
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

// thin drops the samples that are too old. Of samples that are too close together for
// their age it keeps the first.
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

// learn updates the capacity and the effect of the last raises from the newest sample.
func (h *History) learn() {
	a := assess(h.samples, DefaultRebalanceWait, DefaultStuckAfter)
	if !a.settled || a.stalled {
		return
	}
	h.pause.end()
	if a.capacity > 0 {
		h.capacity, h.cpu = a.capacity, a.last().CPU
	}
	h.raises.noteEffect(a.last().Replicas, a.served())
	h.resizes.noteEffect(int32(a.last().CPU), a.served())
}

// capacityWith returns the last known capacity of one pod, converted to the given CPU;
// 0 if it was never known.
func (h *History) capacityWith(cpu CPU) float64 { return inProportion(h.capacity, h.cpu, cpu) }

// inProportion converts the capacity of a pod that has the CPU with to one that has
// cpu. It returns capacity unchanged if either amount is unknown.
func inProportion(capacity float64, with, cpu CPU) float64 {
	if with <= 0 || cpu <= 0 {
		return capacity
	}
	return capacity * float64(cpu) / float64(with)
}

// proven returns the most that one pod with the given CPU did while all pods worked
// without a pause, 0 if no recent raise shows that. The pools' saturation may promise
// more than this.
func (h *History) proven(policy Policy, now time.Time, cpu CPU) (capacity float64) {
	for _, r := range h.raises {
		if now.Sub(r.before.at) <= policy.RaiseMemory {
			capacity = max(capacity, inProportion(r.before.capacity/float64(r.from), r.before.cpu, cpu))
		}
	}
	return capacity
}
