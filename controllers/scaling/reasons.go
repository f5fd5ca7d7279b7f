package scaling

// Reason is a rule, in one word.
type Reason string

// The reasons for which the number of pods, or their CPU, changes.
const (
	// AboveCap: there are more pods than Max or the partitions allow.
	AboveCap Reason = "AboveCap"
	// BelowMin: there are fewer than Min.
	BelowMin Reason = "BelowMin"
	// NewRecords: no pod is running, and there is something to read.
	NewRecords Reason = "NewRecords"
	// LagAboveTarget: records wait for longer than the target.
	LagAboveTarget Reason = "LagAboveTarget"
	// LoadAboveCapacity: more arrives than the pods can process, so the lag will
	// exceed the target.
	LoadAboveCapacity Reason = "LoadAboveCapacity"
	// LoadBelowCapacity: fewer pods, or less CPU, have been enough for DownWindow.
	LoadBelowCapacity Reason = "LoadBelowCapacity"
	// Idle: nothing has arrived and nothing has been left for DownWindow. It is
	// also the reason for staying at 0.
	Idle Reason = "Idle"
	// RaiseDidNotHelp: the last raise brought no more throughput, so it is taken
	// back, or not repeated.
	RaiseDidNotHelp Reason = "RaiseDidNotHelp"
	// MorePodsDoNotHelp: there are as many pods as there may be, or a partition
	// needs more than a pod can do, so each pod gets more CPU.
	MorePodsDoNotHelp Reason = "MorePodsDoNotHelp"
	// MoreCPUDidNotHelp: the last raise of the CPU brought no more throughput, so
	// it is taken back.
	MoreCPUDidNotHelp Reason = "MoreCPUDidNotHelp"
	// NoRoom: no pod's node has room for the CPU that pods are to have.
	NoRoom Reason = "NoRoom"
)

// The reasons for which it stays.
const (
	// OnTarget: neither more nor fewer pods are needed.
	OnTarget Reason = "OnTarget"
	// AtCap: more pods are needed than are allowed.
	AtCap Reason = "AtCap"
	// HotPartition: one partition is behind, and more pods would not help it, as
	// only one at a time reads it.
	HotPartition Reason = "HotPartition"
	// Stabilizing: a change is due, but not for long enough yet.
	Stabilizing Reason = "Stabilizing"
	// CoolingDown: a change is due, and the last one was made less than Cooldown
	// ago.
	CoolingDown Reason = "CoolingDown"
	// Rebalancing: the pods have changed too recently to be judged.
	Rebalancing Reason = "Rebalancing"
	// PodsNotReady: more pods are needed, and those asked for already are not
	// all ready.
	PodsNotReady Reason = "PodsNotReady"
	// ResizePending: the pods need more CPU, and some don't have yet what was
	// decided before.
	ResizePending Reason = "ResizePending"
	// NoProgress: there is something to process and nothing is processed, which
	// more pods do not help.
	NoProgress Reason = "NoProgress"
	// StuckPartitions: all partitions that are behind are stuck.
	StuckPartitions Reason = "StuckPartitions"
	// KafkaUnreachable: what is known is old.
	KafkaUnreachable Reason = "KafkaUnreachable"
	// TooLittleKnown: the History is too short to judge by.
	TooLittleKnown Reason = "TooLittleKnown"
)
