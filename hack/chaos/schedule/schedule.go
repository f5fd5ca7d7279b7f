// Package schedule decides which faults a chaos run has and when. Everything follows from
// the seed: the same seed gives the same schedule.
package schedule

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a kind of fault, as far as the schedule has to know it.
type Kind struct {
	Name string
	// Class names faults that must not overlap, because two of them might leave Kafka
	// without a quorum, or would undo each other. Up to Lanes of them may; 0 means 1.
	Class string
	Lanes int
	// Weight is how often the kind is chosen in relation to the others.
	Weight int
	// Hold is how long such a fault lasts: at least the first, at most the second.
	Hold [2]time.Duration
	// Recovery is about how long it takes after Hold until all is as before.
	Recovery time.Duration
	// Most bounds how many faults of the kind there are; 0 means no bound.
	Most int
}

// Step is one fault of a schedule.
type Step struct {
	At   time.Duration
	Kind string
	Lane Lane
	Hold time.Duration
	// Seed is for what the fault picks when it begins, such as a broker.
	Seed uint64
}

// Lane names the faults that follow each other.
type Lane struct {
	Class string
	N     int
}

// String describes the step in a line.
func (s Step) String() string {
	return fmt.Sprintf("%8.2fs %s, for %s", s.At.Seconds(), s.Kind, s.Hold.Round(time.Millisecond))
}

// interval is the mean time from one fault to the next. Fault and recovery take longer,
// so several are in force at most times.
const interval = 1800 * time.Millisecond

// Make returns the faults from one time to another, ordered by time. A fault that would
// not be over by then is left out.
func Make(pick *rand.Rand, kinds []Kind, from, to time.Duration) []Step {
	var steps []Step
	free := map[Lane]time.Duration{}
	counts := map[string]int{}
	for at := from; ; {
		at += time.Duration(pick.ExpFloat64() * float64(interval))
		if at > to {
			return steps
		}
		kind, lane, ok := choose(pick, kinds, at, free, counts)
		if !ok {
			continue
		}
		hold := kind.Hold[0]
		if span := kind.Hold[1] - kind.Hold[0]; span > 0 {
			hold += time.Duration(pick.Int64N(int64(span)))
		}
		seed := pick.Uint64()
		if at+hold > to {
			continue
		}
		free[lane] = at + hold + kind.Recovery
		counts[kind.Name]++
		steps = append(steps, Step{At: at, Kind: kind.Name, Lane: lane, Hold: hold, Seed: seed})
	}
}

// choose picks a kind that has a free lane.
func choose(pick *rand.Rand, kinds []Kind, at time.Duration, free map[Lane]time.Duration, counts map[string]int) (Kind, Lane, bool) {
	lanes := map[string]Lane{}
	total := 0
	for _, k := range kinds {
		if lane, ok := freeLane(k, at, free); ok && (k.Most == 0 || counts[k.Name] < k.Most) {
			lanes[k.Name] = lane
			total += k.Weight
		}
	}
	if total == 0 {
		return Kind{}, Lane{}, false
	}
	n := pick.IntN(total)
	for _, k := range kinds {
		lane, ok := lanes[k.Name]
		if !ok {
			continue
		}
		if n < k.Weight {
			return k, lane, true
		}
		n -= k.Weight
	}
	return Kind{}, Lane{}, false
}

func freeLane(k Kind, at time.Duration, free map[Lane]time.Duration) (Lane, bool) {
	for n := range max(k.Lanes, 1) {
		if lane := (Lane{k.Class, n}); free[lane] <= at {
			return lane, true
		}
	}
	return Lane{}, false
}

// ByLane divides a schedule into what each lane has to do.
func ByLane(steps []Step) map[Lane][]Step {
	lanes := map[Lane][]Step{}
	for _, s := range steps {
		lanes[s.Lane] = append(lanes[s.Lane], s)
	}
	for _, l := range lanes {
		slices.SortFunc(l, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	}
	return lanes
}
