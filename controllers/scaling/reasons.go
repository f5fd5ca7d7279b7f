package scaling

// Reason names the rule that made a Decision.
type Reason string

// The reasons for a change of the number of pods or of their CPU.
const (
	// AboveCap: there are more pods than Max or the partitions allow.
	AboveCap Reason = "AboveCap"
	// BelowMin: there are fewer pods than Min.
	BelowMin Reason = "BelowMin"
	// NewRecords: no pod is running, and there are records to read.
	NewRecords Reason = "NewRecords"
	// LagAboveTarget: records wait longer than the target.
	LagAboveTarget Reason = "LagAboveTarget"
	// LoadAboveCapacity: more records arrive than the pods can process, so the lag
	// will exceed the target.
	LoadAboveCapacity Reason = "LoadAboveCapacity"
	// LoadBelowCapacity: fewer pods, or less CPU, have been enough for DownWindow.
	LoadBelowCapacity Reason = "LoadBelowCapacity"
	// Idle: no record has arrived for DownWindow and none is left. While there are no
	// pods, Idle is also the reason for no change.
	Idle Reason = "Idle"
	// RaiseDidNotHelp: the last raise brought no more throughput, so Decide takes it
	// back or does not repeat it.
	RaiseDidNotHelp Reason = "RaiseDidNotHelp"
	// MorePodsDoNotHelp: the number of pods is at its cap, or a partition needs more
	// than a pod can do, so each pod gets more CPU.
	MorePodsDoNotHelp Reason = "MorePodsDoNotHelp"
	// MoreCPUDidNotHelp: the last raise of the CPU brought no more throughput, so
	// Decide takes it back.
	MoreCPUDidNotHelp Reason = "MoreCPUDidNotHelp"
	// NoRoom: no pod's node has room for the CPU that was decided.
	NoRoom Reason = "NoRoom"
)

// The reasons for no change.
const (
	// OnTarget: neither more nor fewer pods are needed.
	OnTarget Reason = "OnTarget"
	// AtCap: more pods are needed than are allowed.
	AtCap Reason = "AtCap"
	// HotPartition: one partition is behind, and more pods would not help it, because
	// only one pod at a time reads it.
	HotPartition Reason = "HotPartition"
	// Stabilizing: a change is due, but has not been for long enough.
	Stabilizing Reason = "Stabilizing"
	// CoolingDown: a change is due, but the last change is less than Cooldown ago.
	CoolingDown Reason = "CoolingDown"
	// Rebalancing: the pods changed so recently that their rates are unknown.
	Rebalancing Reason = "Rebalancing"
	// PodsNotReady: more pods are needed, but not all present pods are ready.
	PodsNotReady Reason = "PodsNotReady"
	// ResizePending: the pods need more CPU, but some don't have the CPU yet that was
	// decided before.
	ResizePending Reason = "ResizePending"
	// NoProgress: records wait and none are processed, so more pods would not help.
	NoProgress Reason = "NoProgress"
	// StuckPartitions: all partitions that are behind are stuck.
	StuckPartitions Reason = "StuckPartitions"
	// KafkaUnreachable: the last answer of Kafka is old.
	KafkaUnreachable Reason = "KafkaUnreachable"
	// TooLittleKnown: the History is too short for a judgement.
	TooLittleKnown Reason = "TooLittleKnown"
)
