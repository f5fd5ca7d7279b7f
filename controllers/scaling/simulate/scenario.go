package simulate

import (
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// Scenario is a load, the pods that it meets, and what has to come of it.
type Scenario struct {
	Name string
	// About says to a person what happens and what is to be seen.
	About  string
	Length time.Duration
	// Partitions of the input topic.
	Partitions int
	// Replicas at the start, which are ready.
	Replicas int32
	Policy   scaling.Policy

	// Arrival is how many records a second are written to a partition.
	Arrival func(at time.Duration, partition int) float64
	// Backlog is what every partition holds at the start.
	Backlog float64
	// Capacity is how many records a second one pod can process.
	Capacity float64
	// Shared is how many all pods together can, as with one database behind
	// them; 0 for no such limit.
	Shared float64
	// BlindPools: the pools wait for something else than their processor, so
	// their saturation does not show how much they could do. SilentPools: it is
	// not known.
	BlindPools, SilentPools bool
	// CPUDoesNotHelp: a pod can process no more with more CPU.
	CPUDoesNotHelp bool
	// Room is the most CPU that a pod's node can give it; 0 for no such bound.
	Room scaling.CPU
	// Resize is how long a change of the pods' CPU takes.
	Resize time.Duration
	// Stuck reports whether a partition waits for one record.
	Stuck func(at time.Duration, partition int) bool
	// Outage reports whether no broker answers. Records written during an outage
	// arrive when it is over.
	Outage func(at time.Duration) bool
	// StartUp is how long a pod takes to be ready; Rebalance for how long
	// nothing is processed when one comes or goes.
	StartUp, Rebalance time.Duration
	// Poll is the time from one sample to the next, more or less a tenth.
	Poll time.Duration

	Expect Expect
}

// Expect is what has to come of a Scenario.
type Expect struct {
	// CatchUp bounds how long at a stretch records wait for longer than the
	// target; 0 if they never may.
	CatchUp time.Duration
	// Turns bounds how often a raise follows a lowering or the other way round.
	Turns int
	// Raises bounds the raises; 0 for no bound.
	Raises int
	// Most bounds the pods below the cap; 0 for no such bound.
	Most int32
	// CPU bounds the CPU that a pod is given, and AtEnd is what it has at the end;
	// 0 for no such bound.
	CPU, AtEnd scaling.CPU
	// Resizes bounds the changes of the CPU.
	Resizes int
	// Cost bounds the pods' hours as a multiple of the oracle's.
	Cost float64
}

func (s Scenario) seconds() int { return int(s.Length / time.Second) }

func (s Scenario) stuck(second, partition int) bool {
	return s.Stuck != nil && s.Stuck(time.Duration(second)*time.Second, partition)
}

func (s Scenario) out(second int) bool {
	return s.Outage != nil && s.Outage(time.Duration(second)*time.Second)
}

// cap is the most pods there may be.
func (s Scenario) cap() int32 { return min(s.Policy.Max, int32(s.Partitions)) }
