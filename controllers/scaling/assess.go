package scaling

import (
	"math"
	"slices"
	"time"
)

const (
	// rateWindow is the time over which rates are measured, capacityWindow the time
	// over which a pod's capacity is.
	rateWindow     = 30 * time.Second
	capacityWindow = time.Minute
	// minWindow is the shortest time from which a rate is taken.
	minWindow = 8 * time.Second
)

// assessment is the meaning of some samples as seen at the newest of them.
type assessment struct {
	samples []Sample // unbroken
	// settled is set if the pods have not changed for long enough, so the rates below
	// are theirs.
	settled bool
	// stalled is set if nothing has been processed for unusually long.
	stalled bool
	// partitions are those that the sums below include.
	partitions []rates
	stuck      []int32
	lag        int64 // of all partitions
	arrived    float64
	processed  float64
	// capacity is the number of records per second that one pod can process, 0 if it
	// is unknown.
	capacity float64
	// flatOut is set if the pods process nearly all partitions without a pause.
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

// assess assesses one or more samples. It takes the rates of processing from the time of
// the present pods only.
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

// measure sets the rates, and takes those of processing from the window.
func (a *assessment) measure(window []Sample, stuckAfter time.Duration) {
	last := a.last()
	recent := latest(window, rateWindow)
	for total(recent) == 0 && len(recent) < len(window) {
		recent = window[len(window)-len(recent)-1:] // records may take longer than rateWindow
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

const (
	// nearlyAll is the share of the partitions that counts as nearly all.
	nearlyAll = 0.8
	// minSaturation is the lowest saturation from which a capacity is derived.
	minSaturation = 0.05
)

// podCapacity returns the rate at which one pod processes when it always has something
// to do. While nearly all partitions have records waiting, that is its present rate;
// otherwise it is its present rate divided by its saturation.
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

// step returns the number of records processed between two samples, and the share of
// the partitions that had records waiting all the time.
func (a *assessment) step(from, to *Sample) (done, waiting float64) {
	for _, r := range a.partitions {
		p, inTo := to.partition(r.id)
		q, inFrom := from.partition(r.id)
		if !inTo || !inFrom {
			continue
		}
		done += float64(max(0, to.from(p)-from.from(q)))
		if to.from(p) < q.End {
			waiting++
		}
	}
	return done, waiting / float64(max(1, len(a.partitions)))
}

// behindOnly reports whether at least one partition is behind and all partitions that
// are behind are in which; nil stands for all partitions.
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

// behindAny reports whether at least one partition is behind.
func (a *assessment) behindAny(target time.Duration) bool { return a.behindOnly(target, nil) }

// catchingUp reports whether the partitions that are behind will soon be on target at
// their present rates.
func (a *assessment) catchingUp(policy Policy) bool {
	for _, p := range a.partitions {
		if !p.behind(policy.TargetLag) {
			continue
		}
		excess := float64(p.lag) - p.processed*policy.TargetLag.Seconds()
		if (p.processed-p.arrived)*2*policy.CatchUp.Seconds() < excess {
			return false
		}
	}
	return true
}
