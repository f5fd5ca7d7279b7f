package status

// The types of conditions.
const (
	// Ready: all pods that the plan asks for are members of the group, or it asks for
	// none. It stays True while pods are added to those that run, and while only the
	// operator can't reach Kafka. Always there.
	Ready = "Ready"

	// KafkaReachable: the operator gets answers about the topics and the group.
	// Unknown until the first answer. Always there.
	KafkaReachable = "KafkaReachable"

	// Reconciling: a change is under way, or something is missing that may arrive by
	// itself. Its reason is that of Ready if Ready is False; its lastTransitionTime is
	// the time since which the reason has held. Only there while True.
	Reconciling = "Reconciling"

	// Stalled: a user has to act. Tools that wait for a StreamProcessor give up when they
	// see it, so most reasons have to last for some minutes. Only there while True.
	Stalled = "Stalled"

	// PartitionCapped: the spec or autoscaling asks for more pods than the input topic
	// has partitions. Only there while True.
	PartitionCapped = "PartitionCapped"

	// StuckPartition: a worker can't read a partition any further, or a record holds its
	// watermark. Only there while True.
	StuckPartition = "StuckPartition"

	// ProcessorFailing: the program of processor.sidecar fails again and again: its
	// container, or processes in it. There until it has been calm for some minutes.
	ProcessorFailing = "ProcessorFailing"

	// RecordsLost: Kafka lost records before they were read. There for a day after the
	// last loss.
	RecordsLost = "RecordsLost"

	// OffsetsGone: the group has lost some of its committed offsets. Only there until
	// workers commit again.
	OffsetsGone = "OffsetsGone"

	// GroupShared: another StreamProcessor runs with the same consumer group, and the
	// operator can't prevent it, as between namespaces. Only there while True.
	GroupShared = "GroupShared"

	// ResizePending: pods don't get the CPU that autoscaling.vertical has decided on, and
	// go on with their present CPU. Only there while True.
	ResizePending = "ResizePending"

	// Suspended: spec.suspend is set. Only there while True.
	Suspended = "Suspended"

	// RolloutHeld: the pods keep their present template although there is a newer one.
	// Only there while True.
	RolloutHeld = "RolloutHeld"
)

// Reasons of Ready.
const (
	// Running: all pods are members of the group.
	Running = "Running"
	// ScaledToZero: there is nothing to read and autoscaling keeps no pod waiting, or
	// spec.replicas is 0.
	ScaledToZero = "ScaledToZero"
	// NothingRuns: spec.suspend is set, and the last pod is gone. (True.)
	NothingRuns = "Suspended"
	// PodsNotReady: pods have yet to start or to join the group.
	PodsNotReady = "PodsNotReady"
	// RolloutInProgress: pods of an earlier configuration are being replaced.
	RolloutInProgress = "RolloutInProgress"
	// ReloadInProgress: pods have yet to go on with changed expressions.
	ReloadInProgress = "ReloadInProgress"
	// Draining: pods that are to stop finish the records in flight.
	Draining = "Draining"
	// WaitingForKafka: the operator knows nothing of the topics yet.
	WaitingForKafka = "WaitingForKafka"
	// Deleting: the StreamProcessor is being deleted.
	Deleting = "Deleting"
)

// Reasons of Ready that become reasons of Stalled when they last; InvalidSpec and
// ExpressionsRefused at once.
const (
	// PodsFailing: pods crash, or can't be started.
	PodsFailing = "PodsFailing"
	// PodsUnschedulable: no node has room for pods.
	PodsUnschedulable = "PodsUnschedulable"
	// PodsRefused: pods can't be created, for example because of a quota.
	PodsRefused = "PodsRefused"
	// InvalidSpec: no worker can run with the spec.
	InvalidSpec = "InvalidSpec"
	// ExpressionsRefused: a worker can't use the expressions of the spec, and goes on with
	// the former ones.
	ExpressionsRefused = "ExpressionsRefused"
	// CredentialsNotFound: a Secret or ConfigMap that the spec refers to is missing, or
	// lacks the key.
	CredentialsNotFound = "CredentialsNotFound"
	// TopicNotFound: the input topic does not exist, or another topic that the spec does
	// not tell workers to create.
	TopicNotFound = "TopicNotFound"
	// GroupConflict: another StreamProcessor of the namespace holds the consumer
	// group.
	GroupConflict = "GroupConflict"
	// NameConflict: something else owns an object with a name that the operator needs.
	NameConflict = "NameConflict"
	// Refused: the API server refuses an object.
	Refused = "Refused"
)

// Reasons of KafkaReachable.
const (
	// Reachable: the last questions were answered.
	Reachable = "Reachable"
	// NotAskedYet: the cluster has not answered yet. (Unknown.)
	NotAskedYet = "NotAskedYet"
	// Unreachable: no broker answers. Until one does, the operator removes no pods.
	Unreachable = "KafkaUnreachable"
	// NotAuthorized: the cluster refuses the credentials or the operator's questions.
	NotAuthorized = "NotAuthorized"
)

// Reasons of the others.
const (
	// MoreThanPartitions is the reason of PartitionCapped.
	MoreThanPartitions = "MoreReplicasThanPartitions"
	// WatermarkHeld is the reason of StuckPartition.
	WatermarkHeld = "WatermarkHeld"
	// ReadingHalted is the reason of StuckPartition if a worker can't read the partition
	// any further.
	ReadingHalted = "ReadingHalted"
	// ProcessesFail is a reason of ProcessorFailing: processes end, take too long or break
	// the protocol, while their container goes on.
	ProcessesFail = "ProcessesFail"
	// ContainerRestarts is a reason of ProcessorFailing: Kubernetes restarts the container.
	ContainerRestarts = "ContainerRestarts"
	// LostBeforeRead is the reason of RecordsLost.
	LostBeforeRead = "LostBeforeRead"
	// ExpiredOrDeleted is the reason of OffsetsGone.
	ExpiredOrDeleted = "ExpiredOrDeleted"
	// ResizeDeferred is a reason of ResizePending: the node has no room at present.
	ResizeDeferred = "Deferred"
	// ResizeInfeasible is a reason of ResizePending: the node will never have room.
	ResizeInfeasible = "Infeasible"
	// ResizeFailed is a reason of ResizePending: the node could not change the CPU.
	ResizeFailed = "Failed"
	// ResizeRefused is a reason of ResizePending: the API server refuses the change.
	ResizeRefused = "Refused"
	// NoCPULimit is a reason of ResizePending: the container has no CPU limit to raise.
	NoCPULimit = "NoCPULimit"
	// Paused is the reason of RolloutHeld if the annotation millrace.dev/paused is set.
	Paused = "Paused"
	// WaitingForTurn is the reason of RolloutHeld if the operator itself has brought the
	// change, and as many StreamProcessors as allowed are rolling already.
	WaitingForTurn = "WaitingForTurn"
	// UsedTwice is the reason of GroupShared.
	UsedTwice = "UsedTwice"
	// SuspendedBySpec is the reason of Suspended.
	SuspendedBySpec = "SuspendedBySpec"
)

// alwaysThere are the types that are listed with any status.
var alwaysThere = map[string]bool{Ready: true, KafkaReachable: true}

// ordinary are the reasons of Ready that come and go without any trouble.
var ordinary = map[string]bool{
	Running: true, ScaledToZero: true, NothingRuns: true, PodsNotReady: true, RolloutInProgress: true, ReloadInProgress: true,
	Draining: true, WaitingForKafka: true, Deleting: true,
}

// Ordinary reports whether a reason of Ready is one that comes and goes without any
// trouble.
func Ordinary(reason string) bool { return ordinary[reason] }
