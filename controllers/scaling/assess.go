package scaling

import (
	"math"
	"slices"
	"time"
)

// rateWindow is the time over which rates are taken, capacityWindow that over
// which a pod's capacity is.
const (
	rateWindow     = 30 * time.Second
	capacityWindow = time.Minute
	minWindow      = 8 * time.Second
)

// assessment is what the newest of some samples means.
type assessment struct {
	samples []Sample // unbroken
	// settled: the pods have been the same ones for long enough, so the rates
	// below are theirs.
	settled bool
	// stalled: nothing has been processed for a while, which is not usual.
	stalled bool
	// partitions are those that the sums below count.
	partitions []rates
	stuck      []int32
	lag        int64 // of all partitions
	arrived    float64
	processed  float64
	// capacity is what one pod can process a second, 0 if that is not known.
	capacity float64
	// flatOut: nearly all partitions are worked off without a pause.
	flatOut bool
}

func (a *assessment) last() *Sample { return &a.samples[len(a.samples)-1] }

func (a *assessment) served() served {
	s := served{at: a.last().At, partitions: a.partitions, cpu: a.last().CPU}
	if a.flatOut {
		s.capacity = a.capacity * float64(a.last().Ready)
	}
	return s
}

// assess looks at the newest of the samples, of which there has to be one.
// Rates of processing are only those of the present pods.
func assess(samples []Sample, wait, stuckAfter time.Duration) *assessment {
	a := &assessment{samples: unbroken(samples)}
	pods := samePods(a.samples)
	window := pods
	if len(pods) > 0 {
		window = since(pods, pods[0].At.Add(wait))
		window, a.stalled = cutStall(window)
	}
	a.settled = span(window) >= minWindow && a.last().Ready > 0
	a.measure(window, stuckAfter)
	if a.settled {
		a.capacity, a.flatOut = a.podCapacity(latest(window, capacityWindow))
	}
	return a
}

// measure fills in the rates, those of processing from the window.
func (a *assessment) measure(window []Sample, stuckAfter time.Duration) {
	last := a.last()
	recent := latest(window, rateWindow)
	for total(recent) == 0 && len(recent) < len(window) {
		recent = window[len(window)-len(recent)-1:] // slow records
	}
	a.stuck = stuckPartitions(a.samples, stuckAfter)
	for _, p := range last.Partitions {
		a.lag += last.lag(p)
		if slices.Contains(a.stuck, p.ID) {
			continue
		}
		r := ratesOf(p, a.samples, recent)
		a.partitions = append(a.partitions, r)
		a.arrived += r.arrived
		a.processed += r.processed
	}
}

// latest returns the newest samples that cover at least d, or all.
func latest(samples []Sample, d time.Duration) []Sample {
	first := len(samples) - 1
	for first > 0 && span(samples[first:]) < d {
		first--
	}
	return samples[max(first, 0):]
}

// span is the time that samples cover.
func span(samples []Sample) time.Duration {
	if len(samples) < 2 {
		return 0
	}
	return samples[len(samples)-1].At.Sub(samples[0].At)
}

// total is how many offsets were processed in the samples.
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

// The shares from which on partitions count as nearly all, and pools as busy
// enough for their saturation to be worth something.
const (
	nearlyAll     = 0.8
	minSaturation = 0.05
)

// podCapacity is what one pod processes when it has always something to do: what
// it does process while nearly all partitions wait, or else what it would if its
// pool were busy all the time.
func (a *assessment) podCapacity(window []Sample) (capacity float64, flatOut bool) {
	ready := float64(a.last().Ready)
	var busyFor, all time.Duration
	var busy, whole, saturation float64
	known := true
	for i := range window[1:] {
		from, to := &window[i], &window[i+1]
		took := to.At.Sub(from.At)
		done, waiting := a.step(from, to)
		whole += done
		all += took
		if waiting >= nearlyAll {
			busy += done
			busyFor += took
		}
		known = known && to.Saturation >= 0
		saturation += to.Saturation * took.Seconds()
	}
	if busyFor >= minWindow && busy > 0 {
		return busy / busyFor.Seconds() / ready, true
	}
	if saturation /= all.Seconds(); known && saturation >= minSaturation {
		return whole / all.Seconds() / ready / math.Min(saturation, 1), false
	}
	return 0, false
}

// step is how much was processed between two samples, and the share of the
// partitions that had something waiting all the time.
func (a *assessment) step(from, to *Sample) (done, waiting float64) {
	for _, r := range a.partitions {
		p, ok := to.partition(r.id)
		q, was := from.partition(r.id)
		if !ok || !was {
			continue
		}
		done += float64(max(0, to.from(p)-from.from(q)))
		if to.from(p) < q.End {
			waiting++
		}
	}
	return done, waiting / float64(max(1, len(a.partitions)))
}

// behindOnly reports whether some partitions are behind, and all that are are
// among those; nil for any.
func (a *assessment) behindOnly(target time.Duration, which map[int32]bool) bool {
	some := false
	for _, p := range a.partitions {
		if p.behind(target) {
			if which != nil && !which[p.id] {
				return false
			}
			some = true
		}
	}
	return some
}
