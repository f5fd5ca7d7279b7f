package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StreamProcessorStatus is the last observed state.
type StreamProcessorStatus struct {
	// observedGeneration is the metadata.generation that the other fields describe;
	// -1 until an operator has looked at the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// operator is the namespace of the operator that manages the StreamProcessor.
	// Other operators leave it alone while this one is alive.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Operator string `json:"operator,omitempty"`

	// conditions describe the state and say what to do about problems.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// replicas is the number of pods.
	// +optional
	Replicas int32 `json:"replicas"`

	// readyReplicas is the number of pods that are members of the group.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// selector finds the pods, in the notation of label selectors.
	// +optional
	Selector string `json:"selector,omitempty"`

	// input is the progress in the input topic. It is absent until the operator has
	// asked the cluster.
	// +optional
	Input *InputStatus `json:"input,omitempty"`

	// group is the consumer group that this StreamProcessor holds: no other
	// StreamProcessor in its namespace runs with it. It holds the group from its
	// first pod on, until it is suspended or deleted and its last pod is gone.
	// +optional
	Group *HeldGroup `json:"group,omitempty"`

	// expressions says how many pods run the expressions of the spec. It is absent for
	// another processor than cel.
	// +optional
	Expressions *ExpressionsStatus `json:"expressions,omitempty"`

	// stuckPartitions are the halted partitions, and those that have waited long
	// for one record; the longest wait first, at most 10.
	// +listType=map
	// +listMapKey=partition
	// +kubebuilder:validation:MaxItems=10
	// +optional
	StuckPartitions []StuckPartition `json:"stuckPartitions,omitempty"`

	// losses are offsets that Kafka lost before they were read: the last loss of
	// each partition, the newest first, for a day, at most 10.
	// +listType=map
	// +listMapKey=partition
	// +kubebuilder:validation:MaxItems=10
	// +optional
	Losses []PartitionLoss `json:"losses,omitempty"`

	// lastScaleDecision is the last change of the number of pods or of their CPU,
	// or the reason for no change although records waited. With autoscaling.mode
	// RecommendOnly it is the last recommendation.
	// +optional
	LastScaleDecision *ScaleDecision `json:"lastScaleDecision,omitempty"`

	// vertical is the progress of autoscaling.vertical; absent without it.
	// +optional
	Vertical *VerticalStatus `json:"vertical,omitempty"`

	// autoscaling holds what autoscaling has learned. An operator that restarts, or
	// takes over from another, continues from it.
	// +optional
	Autoscaling *AutoscalingStatus `json:"autoscaling,omitempty"`
}

// ExpressionsStatus is the progress of a change of the expressions, which reaches running
// pods without a restart.
type ExpressionsStatus struct {
	// version is a hash of the expressions in the spec. Expressions that come back after a
	// change have another one. The workers' /status and logs show it too.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Version string `json:"version"`

	// pods is the number of pods of the present template that have said which version
	// they run. For two minutes after an operator has started, those that it has yet to
	// hear from count too.
	// +optional
	Pods int32 `json:"pods"`

	// updatedPods is the number of those pods that run version.
	// +optional
	UpdatedPods int32 `json:"updatedPods"`
}

// HeldGroup is a consumer group on a cluster.
type HeldGroup struct {
	// groupId is the group's name.
	// +required
	GroupID string `json:"groupId"`

	// bootstrapServers identify the cluster.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +required
	BootstrapServers []string `json:"bootstrapServers"`
}

// PartitionsSource says where the number of partitions of the input topic comes from.
//
// +kubebuilder:validation:Enum=Kafka;Workers;Spec
type PartitionsSource string

// The sources.
const (
	PartitionsFromKafka   PartitionsSource = "Kafka"
	PartitionsFromWorkers PartitionsSource = "Workers"
	PartitionsFromSpec    PartitionsSource = "Spec"
)

// InputStatus is the progress in the input topic.
type InputStatus struct {
	// topic is the topic that the other fields describe.
	// +optional
	Topic string `json:"topic,omitempty"`

	// bootstrapServers are those of the topic's cluster.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +optional
	BootstrapServers []string `json:"bootstrapServers,omitempty"`

	// groupId is the consumer group that commits the offsets.
	// +optional
	GroupID string `json:"groupId,omitempty"`

	// partitions is the number of partitions of the topic.
	// +optional
	Partitions int32 `json:"partitions"`

	// partitionsSource says where that number comes from. Kafka: Kafka answered the
	// operator. Workers: Kafka does not answer the operator, but the workers
	// reported it. Spec: neither answered, so it is input.partitions.
	// +optional
	PartitionsSource PartitionsSource `json:"partitionsSource,omitempty"`

	// lag is the number of offsets, in all partitions, between the committed offset
	// and the end. It is 0 if Kafka has never answered the operator.
	// +optional
	Lag int64 `json:"lag"`

	// unknownPartitions are partitions whose end Kafka can't give, for example
	// while they have no leader; at most 10. They count with their last known lag.
	// +listType=set
	// +kubebuilder:validation:MaxItems=10
	// +optional
	UnknownPartitions []int32 `json:"unknownPartitions,omitempty"`

	// lagSeconds is the time that the lag takes at the present rate. It is absent
	// while nothing is processed although there is something to process.
	// +optional
	LagSeconds *int64 `json:"lagSeconds,omitempty"`

	// partitionsBehind are the partitions that are furthest behind, the worst
	// first, at most 10.
	// +listType=map
	// +listMapKey=partition
	// +kubebuilder:validation:MaxItems=10
	// +optional
	PartitionsBehind []PartitionLag `json:"partitionsBehind,omitempty"`
}

// PartitionLag says how far one partition is behind.
type PartitionLag struct {
	// partition is the number of the partition.
	// +required
	Partition int32 `json:"partition"`

	// committed is the committed offset, where processing would start; -1 if there
	// is none.
	// +optional
	Committed int64 `json:"committed"`

	// lag is the number of offsets between committed and the end.
	// +required
	Lag int64 `json:"lag"`
}

// StuckPartition is a partition that is halted or waits for one record.
type StuckPartition struct {
	// partition is the number of the partition.
	// +required
	Partition int32 `json:"partition"`

	// offset is the lowest offset that is not settled, or the offset at which a
	// halted partition stopped.
	// +required
	Offset int64 `json:"offset"`

	// halted is true if the worker has stopped reading the partition; lastError
	// says why.
	// +optional
	Halted bool `json:"halted,omitempty"`

	// keyHash is the murmur2 hash of the record's key, which distinguishes keys
	// without showing them. It is absent for a null key, and until an attempt has
	// failed.
	// +optional
	KeyHash string `json:"keyHash,omitempty"`

	// since is the time at which the worker began with the record, or halted the
	// partition.
	// +required
	Since metav1.Time `json:"since"`

	// attempts is the number of failed attempts.
	// +optional
	Attempts int32 `json:"attempts"`

	// lastError is the error of the last failed attempt, shortened.
	// +optional
	LastError string `json:"lastError,omitempty"`
}

// PartitionLoss is a range of offsets that Kafka lost before they were read.
type PartitionLoss struct {
	// partition is the number of the partition.
	// +required
	Partition int32 `json:"partition"`

	// from is the first lost offset.
	// +optional
	From int64 `json:"from"`

	// to is the offset after the last lost one.
	// +optional
	To int64 `json:"to"`

	// reason is why the offsets were lost. Retention: the topic's retention deleted
	// them. TopicRecreated: somebody deleted the topic and created it again.
	// Truncated: the log was truncated, as after an unclean leader election.
	// +required
	Reason string `json:"reason"`

	// at is the time at which a worker noticed the loss.
	// +required
	At metav1.Time `json:"at"`
}
