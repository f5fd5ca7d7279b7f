package simulate

import (
	"math"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// plain is what the scenarios have in common: 12 partitions, and pods that do
// 100 records a second each.
func plain(name, about string) Scenario {
	return Scenario{
		Name: name, About: about, Length: 2 * time.Hour,
		Partitions: 12, Replicas: 1, Policy: scaling.Policy{Min: 1, Max: 20, TargetLag: 30 * time.Second},
		Capacity: 100, StartUp: 12 * time.Second, Rebalance: 5 * time.Second, Poll: 5 * time.Second,
		Expect: Expect{CatchUp: 5 * time.Minute, Cost: 1.3},
	}
}

// evenly spreads a total rate over 12 partitions.
func evenly(total func(at time.Duration) float64) func(time.Duration, int) float64 {
	return func(at time.Duration, _ int) float64 { return total(at) / 12 }
}

func constant(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

// between is high in a span of time, else low.
func between(from, to time.Duration, high, low float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if at >= from && at < to {
			return high
		}
		return low
	}
}

// Scenarios are all of them, in the order in which the report shows them.
func Scenarios() []Scenario {
	return []Scenario{
		step(), spike(), diurnal(), slowLeak(), skewed(), tooHot(), stuckPartition(), allStuck(), outage(),
		rebalanceCost(), sharedBottleneck(), capped(), cappedVertical(), hotVertical(), noMoreHelps(), noRoom(), atTheEdge(), blind(), silent(), backlog(), onAndOff(), trickle(),
	}
}

func step() Scenario {
	s := plain("Step", "The load rises fivefold and stays.")
	s.Arrival = evenly(between(20*time.Minute, s.Length, 350, 70))
	s.Expect.Raises, s.Expect.Turns = 2, 1
	return s
}

func spike() Scenario {
	s := plain("Spike", "Ten times the load for ten minutes. It is worked off, and the pods go when they have not been needed for a while.")
	s.Arrival = evenly(between(40*time.Minute, 50*time.Minute, 700, 70))
	s.Expect.Turns = 3
	return s
}

func diurnal() Scenario {
	s := plain("Diurnal", "A day: quiet at night, up to eight pods' worth at noon. The pods follow, in few steps.")
	s.Length = 24 * time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 { return 420 - 360*math.Cos(2*math.Pi*at.Hours()/24) })
	s.Expect.Turns = 3
	return s
}

func slowLeak() Scenario {
	s := plain("Slow leak", "The load creeps up from half a pod's worth to three pods' in three hours.")
	s.Length = 3 * time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 { return 50 + 250*at.Hours()/3 })
	s.Expect.Turns = 1
	return s
}

func skewed() Scenario {
	s := plain("Skewed partitions", "One partition gets most of what one pod can do. It needs a pod with few other partitions.")
	s.Arrival = func(at time.Duration, p int) float64 {
		high := between(10*time.Minute, s.Length, 1, 0.3)(at)
		if p == 0 {
			return 65 * high
		}
		return 10 * high
	}
	s.Expect.Turns = 1
	return s
}

func tooHot() Scenario {
	s := plain("Hot partition", "One partition gets more than a pod can do, for half an hour. No number of pods helps it, so none is added for it.")
	s.Arrival = func(at time.Duration, p int) float64 {
		if p == 0 {
			return between(20*time.Minute, 50*time.Minute, 120, 10)(at)
		}
		return 10
	}
	s.Replicas, s.Expect.CatchUp, s.Expect.Turns, s.Expect.Most = 2, 50*time.Minute, 3, 6
	return s
}

func stuckPartition() Scenario {
	s := plain("Stuck partition", "One partition waits for one record for good. Its lag grows and is no reason for more pods.")
	s.Arrival = evenly(constant(150))
	s.Replicas = 2
	s.Stuck = func(at time.Duration, p int) bool { return p == 3 && at > 20*time.Minute }
	s.Expect.Most, s.Expect.Turns = 2, 0
	return s
}

func allStuck() Scenario {
	s := plain("All stuck", "Nothing is processed for half an hour, as what the processor writes to is down. More pods would not help.")
	s.Arrival = evenly(constant(150))
	s.Replicas, s.Length = 2, 3*time.Hour
	s.Stuck = func(at time.Duration, _ int) bool { return at > 20*time.Minute && at < 50*time.Minute }
	s.Expect.CatchUp, s.Expect.Turns = 10*time.Minute, 1
	return s
}

func outage() Scenario {
	s := plain("Broker outage", "No broker answers for fifteen minutes. The pods stay; what has piled up is worked off afterwards.")
	s.Arrival = evenly(constant(260))
	s.Replicas = 3
	s.Outage = func(at time.Duration) bool { return at > 30*time.Minute && at < 45*time.Minute }
	s.Expect.CatchUp, s.Expect.Turns = 15*time.Minute, 1
	return s
}

func rebalanceCost() Scenario {
	s := plain("Rebalance cost", "Each change stops everything for a minute, and the load goes up and down every quarter of an hour. The pods do not follow it.")
	s.Length, s.Replicas = 4*time.Hour, 3
	s.Rebalance = time.Minute
	s.Arrival = evenly(func(at time.Duration) float64 {
		return 300 + 45*math.Sin(2*math.Pi*at.Minutes()/30)
	})
	s.Expect.Turns, s.Expect.CatchUp = 4, 6*time.Minute
	return s
}

func sharedBottleneck() Scenario {
	s := plain("Processor that does not scale", "All pods share a database that does one and a half pods' worth. The raise does not help: it is taken back, and not repeated.")
	s.Length = 3 * time.Hour
	s.Arrival = evenly(between(20*time.Minute, 100*time.Minute, 220, 70))
	s.Shared = 150
	s.Expect.CatchUp, s.Expect.Turns, s.Expect.Raises = 3*time.Hour, 5, 3
	return s
}

func capped() Scenario {
	s := plain("Partition cap", "More than all partitions' pods can do for a while; there are never more pods than partitions.")
	s.Partitions = 3
	s.Arrival = func(at time.Duration, _ int) float64 { return between(20*time.Minute, 50*time.Minute, 130, 20)(at) }
	s.Expect.CatchUp, s.Expect.Turns = time.Hour, 1
	return s
}

func atTheEdge() Scenario {
	s := plain("At the edge", "The load varies around what three pods can do. The pods do not follow it to and fro.")
	s.Replicas, s.Length = 3, 4*time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 { return 297 + 15*math.Sin(2*math.Pi*at.Minutes()/9) })
	s.Expect.Turns = 2
	return s
}

func blind() Scenario {
	s := plain("Misleading saturation", "The pools look idle although the pods do all they can: what was seen under load counts for more.")
	s.BlindPools, s.Length = true, 4*time.Hour
	s.Arrival = evenly(between(20*time.Minute, 5*time.Hour, 350, 70))
	s.Expect.Turns = 7
	return s
}

func silent() Scenario {
	s := plain("Unknown saturation", "No worker's status can be read: the offsets have to do.")
	s.SilentPools = true
	s.Arrival = evenly(between(20*time.Minute, 60*time.Minute, 350, 70))
	s.Expect.Turns = 3
	return s
}

func backlog() Scenario {
	s := plain("Backlog", "A million records wait at the start.")
	s.Backlog = 1e6 / 12
	s.Arrival = evenly(constant(70))
	s.Expect.CatchUp, s.Expect.Turns = 25*time.Minute, 1
	return s
}

func onAndOff() Scenario {
	s := plain("On and off", "Nothing arrives for half an hour at a time. No pod runs then, and the first record wakes one.")
	s.Policy.Min, s.Replicas, s.Length = 0, 0, 4*time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 {
		if int(at.Minutes())%60 < 30 {
			return 0
		}
		return 60
	})
	s.Expect.CatchUp, s.Expect.Turns = time.Minute, 7
	return s
}

func trickle() Scenario {
	s := plain("Trickle", "A record every twenty seconds, in one of 12 partitions. One pod is enough, and a record that has just arrived is no lag.")
	s.Arrival = evenly(constant(0.05))
	s.Expect.Most = 1
	return s
}
