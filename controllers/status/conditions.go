package status

// The types of conditions.
const (
	// Ready: all pods that are wanted are members of the group, or none is
	// wanted. It stays True while pods are added to those that run, and while the
	// operator alone can't reach Kafka. Always there.
	Ready = "Ready"

	// KafkaReachable: the operator gets answers about the topics and the group.
	// Unknown until the first one. Always there.
	KafkaReachable = "KafkaReachable"

	// Reconciling: a change is on its way, or something is missing that may arrive
	// by itself. Its reason is the one of Ready where that is False; its
	// lastTransitionTime is since when that reason has held. Only there while it is
	// so.
	Reconciling = "Reconciling"

	// Stalled: it will not get better without somebody's act. Tools that wait for a
	// StreamProcessor give up then, so most reasons have to last for some minutes.
	// Only there while it is so.
	Stalled = "Stalled"

	// PartitionCapped: more pods are asked for than the input topic has
	// partitions. Only there while it is so.
	PartitionCapped = "PartitionCapped"

	// StuckPartition: a partition can't be read on, or a record holds its
	// watermark. Only there while that lasts.
	StuckPartition = "StuckPartition"

	// RecordsLost: Kafka lost records before they were read. There for a day after
	// the last loss, since a loss is over as soon as it is noticed.
	RecordsLost = "RecordsLost"

	// OffsetsGone: the group had committed offsets and has lost some of them.
	// Only there until workers commit again.
	OffsetsGone = "OffsetsGone"

	// GroupShared: another StreamProcessor that this one can't be protected from,
	// such as one of another namespace, runs with the same consumer group. Only
	// there while it does.
	GroupShared = "GroupShared"

	// ResizePending: pods don't get the CPU that autoscaling.vertical has decided on.
	// They go on with what they have. Only there while it is so.
	ResizePending = "ResizePending"

	// Suspended: spec.suspend is set. Only there while it is.
	Suspended = "Suspended"

	// RolloutHeld: the pods keep their present template although a newer one is
	// there. Only there while they do.
	RolloutHeld = "RolloutHeld"
)

// Reasons of Ready.
const (
	// Running: all pods are members of the group.
	Running = "Running"
	// ScaledToZero: there is nothing to read, and autoscaling lets no pod wait
	// for it, or spec.replicas is 0.
	ScaledToZero = "ScaledToZero"
	// NothingRuns: spec.suspend is set, and the last pod is gone. (True.)
	NothingRuns = "Suspended"
	// PodsNotReady: pods have yet to start, or to join the group.
	PodsNotReady = "PodsNotReady"
	// RolloutInProgress: pods of an earlier configuration are being replaced.
	RolloutInProgress = "RolloutInProgress"
	// Draining: pods that are no longer wanted finish what they have begun.
	Draining = "Draining"
	// WaitingForKafka: nothing is known of the topics yet.
	WaitingForKafka = "WaitingForKafka"
	// Deleting: it is being deleted.
	Deleting = "Deleting"
)

// Reasons of Ready that become those of Stalled when they last, InvalidSpec at once.
const (
	// PodsFailing: pods crash, or can't be started.
	PodsFailing = "PodsFailing"
	// PodsUnschedulable: no node has room for pods.
	PodsUnschedulable = "PodsUnschedulable"
	// PodsRefused: pods can't be created, for example because of a quota.
	PodsRefused = "PodsRefused"
	// InvalidSpec: a worker would not run with it.
	InvalidSpec = "InvalidSpec"
	// CredentialsNotFound: a Secret or ConfigMap that the spec refers to is
	// missing, or a key of it.
	CredentialsNotFound = "CredentialsNotFound"
	// TopicNotFound: the input topic, or another that nobody is told to create,
	// does not exist.
	TopicNotFound = "TopicNotFound"
	// GroupConflict: another StreamProcessor of the namespace holds the consumer
	// group.
	GroupConflict = "GroupConflict"
	// NameConflict: an object that would be needed exists and is someone else's.
	NameConflict = "NameConflict"
	// Refused: the API server does not take an object.
	Refused = "Refused"
)

// Reasons of KafkaReachable.
const (
	// Reachable: the last questions were answered.
	Reachable = "Reachable"
	// NotAskedYet: the cluster has not answered yet. (Unknown.)
	NotAskedYet = "NotAskedYet"
	// Unreachable: no broker answers. Until one does, nothing is scaled down.
	Unreachable = "KafkaUnreachable"
	// NotAuthorized: the cluster refuses the credentials or the questions.
	NotAuthorized = "NotAuthorized"
)

// Reasons of the others.
const (
	// MoreThanPartitions is the reason of PartitionCapped.
	MoreThanPartitions = "MoreReplicasThanPartitions"
	// WatermarkHeld is the reason of StuckPartition.
	WatermarkHeld = "WatermarkHeld"
	// ReadingHalted is the reason of StuckPartition where a partition can't be read
	// on.
	ReadingHalted = "ReadingHalted"
	// LostBeforeRead is the reason of RecordsLost.
	LostBeforeRead = "LostBeforeRead"
	// ExpiredOrDeleted is the reason of OffsetsGone.
	ExpiredOrDeleted = "ExpiredOrDeleted"
	// ResizeDeferred is a reason of ResizePending: the node has no room at the
	// moment.
	ResizeDeferred = "Deferred"
	// ResizeInfeasible is a reason of ResizePending: the node will never have room.
	ResizeInfeasible = "Infeasible"
	// ResizeFailed is a reason of ResizePending: the node could not do it.
	ResizeFailed = "Failed"
	// ResizeRefused is a reason of ResizePending: the API server does not take it.
	ResizeRefused = "Refused"
	// NoCPULimit is a reason of ResizePending: the container has no limit that could
	// be raised.
	NoCPULimit = "NoCPULimit"
	// Paused is the reason of RolloutHeld where the annotation millrace.dev/paused
	// holds it.
	Paused = "Paused"
	// WaitingForTurn is the reason of RolloutHeld where a change comes from the
	// operator, and as many StreamProcessors as allowed are rolling already.
	WaitingForTurn = "WaitingForTurn"
	// UsedTwice is the reason of GroupShared.
	UsedTwice = "UsedTwice"
	// SuspendedBySpec is the reason of Suspended.
	SuspendedBySpec = "SuspendedBySpec"
)

// alwaysThere are the types that are shown whatever their status is.
var alwaysThere = map[string]bool{Ready: true, KafkaReachable: true}

// ordinary are the reasons of Ready that come and go while all is well.
var ordinary = map[string]bool{
	Running: true, ScaledToZero: true, NothingRuns: true, PodsNotReady: true, RolloutInProgress: true,
	Draining: true, WaitingForKafka: true, Deleting: true,
}

// Ordinary reports whether a reason of Ready is one that comes and goes while all is
// well.
func Ordinary(reason string) bool { return ordinary[reason] }
