package simulate

import (
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// Scenario is a load, the pods that process it, and the expected result.
type Scenario struct {
	Name string
	// About describes the scenario and its expected course to a person.
	About  string
	Length time.Duration
	// Partitions is the number of partitions of the input topic.
	Partitions int
	// Replicas is the number of ready pods at the start.
	Replicas int32
	Policy   scaling.Policy

	// Arrival returns the number of records per second that arrive in a partition.
	Arrival func(at time.Duration, partition int) float64
	// Backlog is the number of records in every partition at the start.
	Backlog float64
	// Capacity is the number of records per second that one pod can process.
	Capacity float64
	// Shared is the number that all pods together can process, as with one shared
	// database; 0 for no such limit.
	Shared float64
	// BlindPools is set if the pools wait for something other than their processor, so
	// that their saturation does not show their capacity. SilentPools is set if the
	// saturation is unknown.
	BlindPools, SilentPools bool
	// CPUDoesNotHelp is set if more CPU does not raise a pod's capacity.
	CPUDoesNotHelp bool
	// Room is the most CPU that a pod's node can give it; 0 for no such bound.
	Room scaling.CPU
	// Resize is how long a change of the pods' CPU takes.
	Resize time.Duration
	// Stuck reports whether a partition waits for one record.
	Stuck func(at time.Duration, partition int) bool
	// Outage reports whether no broker answers. Records of that time arrive after the
	// outage.
	Outage func(at time.Duration) bool
	// StartUp is the time until a new pod is ready. Rebalance is the time without any
	// processing when a pod comes or goes.
	StartUp, Rebalance time.Duration
	// Poll is the time between two samples, varied by a tenth.
	Poll time.Duration

	Expect Expect
}

// Expect is the expected result of a Scenario.
type Expect struct {
	// CatchUp bounds the uninterrupted time during which records wait longer than the
	// target; 0 if they never may.
	CatchUp time.Duration
	// Turns bounds how often a raise follows a lowering, or the reverse.
	Turns int
	// Raises bounds the raises; 0 for no bound.
	Raises int
	// Most bounds the number of pods below the cap; 0 for no such bound.
	Most int32
	// CPU bounds the CPU of a pod, and AtEnd is its CPU at the end; 0 for no such bound.
	CPU, AtEnd scaling.CPU
	// Resizes bounds the changes of the CPU.
	Resizes int
	// Cost bounds the hours of the pods as a multiple of the oracle's.
	Cost float64
}

func (s Scenario) seconds() int { return int(s.Length / time.Second) }

func (s Scenario) stuck(second, partition int) bool {
	return s.Stuck != nil && s.Stuck(time.Duration(second)*time.Second, partition)
}

func (s Scenario) out(second int) bool {
	return s.Outage != nil && s.Outage(time.Duration(second)*time.Second)
}

// cap returns the highest allowed number of pods.
func (s Scenario) cap() int32 { return min(s.Policy.Max, int32(s.Partitions)) }
