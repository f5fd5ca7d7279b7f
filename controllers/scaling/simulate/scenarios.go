package simulate

import (
	"math"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// plain returns the common part of the scenarios: 12 partitions, and pods that process 100
// records per second each.
func plain(name, about string) Scenario {
	return Scenario{
		Name: name, About: about, Length: 2 * time.Hour,
		Partitions: 12, Replicas: 1, Policy: scaling.Policy{Min: 1, Max: 20, TargetLag: 30 * time.Second},
		Capacity: 100, StartUp: 12 * time.Second, Rebalance: 5 * time.Second, Poll: 5 * time.Second,
		Expect: Expect{CatchUp: 5 * time.Minute, Cost: 1.3},
	}
}

// evenly distributes a total rate evenly over 12 partitions.
func evenly(total func(at time.Duration) float64) func(time.Duration, int) float64 {
	return func(at time.Duration, _ int) float64 { return total(at) / 12 }
}

func constant(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

// between returns a load that is high in a span of time and low otherwise.
func between(from, to time.Duration, high, low float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if at >= from && at < to {
			return high
		}
		return low
	}
}

// Scenarios returns all scenarios, in the order of the report.
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
	s := plain("Spike", "Ten times the load for ten minutes. The pods work it off, and go when they have not been needed for a while.")
	s.Arrival = evenly(between(40*time.Minute, 50*time.Minute, 700, 70))
	s.Expect.Turns = 3
	return s
}

func diurnal() Scenario {
	s := plain("Diurnal", "A day: quiet at night, and enough load for eight pods at noon. The number of pods follows in few steps.")
	s.Length = 24 * time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 { return 420 - 360*math.Cos(2*math.Pi*at.Hours()/24) })
	s.Expect.Turns = 3
	return s
}

func slowLeak() Scenario {
	s := plain("Slow leak", "In three hours the load rises slowly from half of a pod's capacity to that of three pods.")
	s.Length = 3 * time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 { return 50 + 250*at.Hours()/3 })
	s.Expect.Turns = 1
	return s
}

func skewed() Scenario {
	s := plain("Skewed partitions", "One partition gets most of the load that one pod can process. It needs a pod with few other partitions.")
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
	s := plain("Hot partition", "For half an hour one partition gets more records than a pod can process. No number of pods helps it, so autoscaling adds none for it.")
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
	s := plain("Stuck partition", "One partition waits for one record for ever. Its lag grows, but is no reason for more pods.")
	s.Arrival = evenly(constant(150))
	s.Replicas = 2
	s.Stuck = func(at time.Duration, p int) bool { return p == 3 && at > 20*time.Minute }
	s.Expect.Most, s.Expect.Turns = 2, 0
	return s
}

func allStuck() Scenario {
	s := plain("All stuck", "No record is processed for half an hour, because the processor's database is down. More pods would not help.")
	s.Arrival = evenly(constant(150))
	s.Replicas, s.Length = 2, 3*time.Hour
	s.Stuck = func(at time.Duration, _ int) bool { return at > 20*time.Minute && at < 50*time.Minute }
	s.Expect.CatchUp, s.Expect.Turns = 10*time.Minute, 1
	return s
}

func outage() Scenario {
	s := plain("Broker outage", "No broker answers for fifteen minutes. The number of pods stays the same; the pods work off the backlog afterwards.")
	s.Arrival = evenly(constant(260))
	s.Replicas = 3
	s.Outage = func(at time.Duration) bool { return at > 30*time.Minute && at < 45*time.Minute }
	s.Expect.CatchUp, s.Expect.Turns = 15*time.Minute, 1
	return s
}

func rebalanceCost() Scenario {
	s := plain("Rebalance cost", "Each change stops all processing for a minute, and the load goes up and down every quarter of an hour. The number of pods does not follow it.")
	s.Length, s.Replicas = 4*time.Hour, 3
	s.Rebalance = time.Minute
	s.Arrival = evenly(func(at time.Duration) float64 {
		return 300 + 45*math.Sin(2*math.Pi*at.Minutes()/30)
	})
	s.Expect.Turns, s.Expect.CatchUp = 4, 6*time.Minute
	return s
}

func sharedBottleneck() Scenario {
	s := plain("Processor that does not scale", "All pods share a database that limits them to the capacity of one and a half pods. The raise does not help, so autoscaling takes it back and does not repeat it.")
	s.Length = 3 * time.Hour
	s.Arrival = evenly(between(20*time.Minute, 100*time.Minute, 220, 70))
	s.Shared = 150
	s.Expect.CatchUp, s.Expect.Turns, s.Expect.Raises = 3*time.Hour, 5, 3
	return s
}

func capped() Scenario {
	s := plain("Partition cap", "For a while more records arrive than one pod per partition can process. There are never more pods than partitions.")
	s.Partitions = 3
	s.Arrival = func(at time.Duration, _ int) float64 { return between(20*time.Minute, 50*time.Minute, 130, 20)(at) }
	s.Expect.CatchUp, s.Expect.Turns = time.Hour, 1
	return s
}

func atTheEdge() Scenario {
	s := plain("At the edge", "The load varies around the capacity of three pods. The number of pods does not follow it up and down.")
	s.Replicas, s.Length = 3, 4*time.Hour
	s.Arrival = evenly(func(at time.Duration) float64 { return 297 + 15*math.Sin(2*math.Pi*at.Minutes()/9) })
	s.Expect.Turns = 2
	return s
}

func blind() Scenario {
	s := plain("Misleading saturation", "The pools look idle although the pods are at their capacity. The rates that autoscaling measured under load count for more.")
	s.BlindPools, s.Length = true, 4*time.Hour
	s.Arrival = evenly(between(20*time.Minute, 5*time.Hour, 350, 70))
	s.Expect.Turns = 7
	return s
}

func silent() Scenario {
	s := plain("Unknown saturation", "No worker's status can be read, so autoscaling uses only the offsets.")
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
	s := plain("On and off", "In every other half hour no record arrives. No pod runs then, and the first record starts one.")
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
	s := plain("Trickle", "A record arrives every twenty seconds, in one of 12 partitions. One pod is enough, and a record that has just arrived does not count as lag.")
	s.Arrival = evenly(constant(0.05))
	s.Expect.Most = 1
	return s
}
