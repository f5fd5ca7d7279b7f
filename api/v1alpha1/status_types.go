package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StreamProcessorStatus is what was last seen.
type StreamProcessorStatus struct {
	// observedGeneration is the metadata.generation that the rest is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

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

	// lastScaleDecision is the last change of the number of pods, or, with
	// autoscaling.mode RecommendOnly, the last recommendation.
	// +optional
	LastScaleDecision *ScaleDecision `json:"lastScaleDecision,omitempty"`
}

// InputStatus is how far the input topic has been processed.
type InputStatus struct {
	// partitions is how many the topic has.
	// +optional
	Partitions int32 `json:"partitions"`

	// lag is how many offsets there are, in all partitions, between what is
	// committed and the end.
	// +optional
	Lag int64 `json:"lag"`

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

// ScaleDecision is a change of the number of pods, and why.
type ScaleDecision struct {
	// from is the number of pods before.
	// +required
	From int32 `json:"from"`

	// to is the number of pods after.
	// +required
	To int32 `json:"to"`

	// cap is the most that was allowed: the lower of maxReplicas and the
	// number of partitions.
	// +required
	Cap int32 `json:"cap"`

	// reason is the rule that decided, in one word.
	// +required
	Reason string `json:"reason"`

	// inputs are the figures that it went by.
	// +optional
	Inputs ScaleInputs `json:"inputs,omitzero"`

	// at is when it was made.
	// +required
	At metav1.Time `json:"at"`
}

// ScaleInputs are the figures that a decision went by.
type ScaleInputs struct {
	// lag is in offsets.
	// +optional
	Lag int64 `json:"lag"`

	// lagSeconds is the lag at the rate of processing.
	// +optional
	LagSeconds *int64 `json:"lagSeconds,omitempty"`

	// arrivedPerSecond is how many records were written to the input topic.
	// +optional
	ArrivedPerSecond int64 `json:"arrivedPerSecond"`

	// processedPerSecond is how many records were settled.
	// +optional
	ProcessedPerSecond int64 `json:"processedPerSecond"`
}
