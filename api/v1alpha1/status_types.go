package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StreamProcessorStatus is what was last seen.
type StreamProcessorStatus struct {
	// observedGeneration is the metadata.generation that the rest is about; -1
	// until an operator has looked at the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// operator is the namespace of the operator that takes care of the
	// StreamProcessor. Another one leaves it alone as long as this one is alive.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Operator string `json:"operator,omitempty"`

	// conditions say how it stands and what to do about it.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// replicas is the number of pods there are.
	// +optional
	Replicas int32 `json:"replicas"`

	// readyReplicas is the number of pods that are members of the group.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// selector finds the pods, in the notation of label selectors.
	// +optional
	Selector string `json:"selector,omitempty"`

	// input is how far the input topic has been processed. It is absent until
	// the cluster has been asked.
	// +optional
	Input *InputStatus `json:"input,omitempty"`

	// group is the consumer group that this StreamProcessor holds: no other one in
	// its namespace runs with it. It is held from the first pod on, until it is
	// suspended or deleted and the last pod is gone.
	// +optional
	Group *HeldGroup `json:"group,omitempty"`

	// stuckPartitions are those that can't be read on, and those that one record
	// has kept from moving on for long, the longest first, at most 10.
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

	// lastScaleDecision is the last change of the number of pods or of their
	// CPU, or why there was none although records waited. With
	// autoscaling.mode RecommendOnly it is the last recommendation.
	// +optional
	LastScaleDecision *ScaleDecision `json:"lastScaleDecision,omitempty"`

	// vertical is how far autoscaling.vertical has come; absent without it.
	// +optional
	Vertical *VerticalStatus `json:"vertical,omitempty"`

	// autoscaling is what autoscaling has learnt. An operator that starts again,
	// or takes over from another, goes on from it.
	// +optional
	Autoscaling *AutoscalingStatus `json:"autoscaling,omitempty"`
}

// HeldGroup is a consumer group on a cluster.
type HeldGroup struct {
	// groupId is the group's name.
	// +required
	GroupID string `json:"groupId"`

	// bootstrapServers are those that the cluster is known by.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +required
	BootstrapServers []string `json:"bootstrapServers"`
}

// PartitionsSource is where the number of the input topic's partitions comes from.
//
// +kubebuilder:validation:Enum=Kafka;Workers;Spec
type PartitionsSource string

// The sources.
const (
	PartitionsFromKafka   PartitionsSource = "Kafka"
	PartitionsFromWorkers PartitionsSource = "Workers"
	PartitionsFromSpec    PartitionsSource = "Spec"
)

// InputStatus is how far the input topic has been processed.
type InputStatus struct {
	// topic is the topic that the rest is about.
	// +optional
	Topic string `json:"topic,omitempty"`

	// bootstrapServers are those of the cluster that the topic is on.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +optional
	BootstrapServers []string `json:"bootstrapServers,omitempty"`

	// groupId is the consumer group that offsets are committed for.
	// +optional
	GroupID string `json:"groupId,omitempty"`

	// partitions is how many the topic has.
	// +optional
	Partitions int32 `json:"partitions"`

	// partitionsSource is where that number comes from: Kafka answered the
	// operator, or the Workers, which the operator asks while Kafka does not
	// answer it, or it is the one in Spec, since neither did.
	// +optional
	PartitionsSource PartitionsSource `json:"partitionsSource,omitempty"`

	// lag is how many offsets there are, in all partitions, between what is
	// committed and the end. 0 where Kafka never answered the operator.
	// +optional
	Lag int64 `json:"lag"`

	// unknownPartitions are those whose end Kafka can't give, for example while
	// they have no leader, at most 10. Their lag counts as it was last known.
	// +listType=set
	// +kubebuilder:validation:MaxItems=10
	// +optional
	UnknownPartitions []int32 `json:"unknownPartitions,omitempty"`

	// lagSeconds is how long the lag takes at the present rate. It is absent
	// while nothing is processed and there is something to process.
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

// PartitionLag is how far one partition is behind.
type PartitionLag struct {
	// partition is its number.
	// +required
	Partition int32 `json:"partition"`

	// committed is the offset that processing would start from; -1 if nothing
	// is committed.
	// +optional
	Committed int64 `json:"committed"`

	// lag is how many offsets there are between committed and the end.
	// +required
	Lag int64 `json:"lag"`
}

// StuckPartition is a partition that waits for one record, or can't be read on.
type StuckPartition struct {
	// partition is its number.
	// +required
	Partition int32 `json:"partition"`

	// offset is that of the record, the lowest one that is not settled, or the
	// place where a halted partition can't be read on.
	// +required
	Offset int64 `json:"offset"`

	// halted means that the partition can't be read on; lastError says why.
	// +optional
	Halted bool `json:"halted,omitempty"`

	// keyHash is the murmur2 hash of the record's key, which tells keys apart
	// without showing them. It is absent for a null key, and until an attempt
	// has failed.
	// +optional
	KeyHash string `json:"keyHash,omitempty"`

	// since is when the record was taken up, or the partition halted.
	// +required
	Since metav1.Time `json:"since"`

	// attempts is how often it has failed.
	// +optional
	Attempts int32 `json:"attempts"`

	// lastError is why it failed last, cut to what a person needs.
	// +optional
	LastError string `json:"lastError,omitempty"`
}

// PartitionLoss is what Kafka lost of a partition before it was read.
type PartitionLoss struct {
	// partition is its number.
	// +required
	Partition int32 `json:"partition"`

	// from is the first offset that was lost.
	// +optional
	From int64 `json:"from"`

	// to is the offset after the last one that was lost.
	// +optional
	To int64 `json:"to"`

	// reason is why they were lost. Retention: the topic's retention deleted them.
	// TopicRecreated: the topic was deleted and created again. Truncated: the log
	// was cut, as after an unclean leader election.
	// +required
	Reason string `json:"reason"`

	// at is when a worker noticed the loss.
	// +required
	At metav1.Time `json:"at"`
}
