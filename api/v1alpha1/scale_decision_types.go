package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ScaleDecision is a change of the number of pods or of their CPU with its reason, or
// the reason for no change although records wait.
type ScaleDecision struct {
	// from is the number of pods before.
	// +required
	From int32 `json:"from"`

	// to is the number of pods after.
	// +required
	To int32 `json:"to"`

	// cap is the highest number of pods that was allowed: the lower of maxReplicas
	// and the number of partitions.
	// +required
	Cap int32 `json:"cap"`

	// cpu is the change of each pod's CPU; absent if it stays the same.
	// +optional
	CPU *CPUChange `json:"cpu,omitempty"`

	// reason names the rule that decided, in one word.
	// +required
	Reason string `json:"reason"`

	// message explains the decision to a person.
	// +optional
	Message string `json:"message,omitempty"`

	// inputs are the figures behind the decision.
	// +optional
	Inputs ScaleInputs `json:"inputs,omitzero"`

	// at is the time of the decision.
	// +required
	At metav1.Time `json:"at"`
}

// CPUChange is a change of each pod's CPU limit.
type CPUChange struct {
	// from is the limit before.
	// +required
	From resource.Quantity `json:"from"`

	// to is the limit after.
	// +required
	To resource.Quantity `json:"to"`
}

// ScaleInputs are the figures behind a decision.
type ScaleInputs struct {
	// lag is the number of unprocessed offsets.
	// +optional
	Lag int64 `json:"lag"`

	// lagSeconds is the lag, divided by the rate of processing.
	// +optional
	LagSeconds *int64 `json:"lagSeconds,omitempty"`

	// arrivedPerSecond is the number of records written to the input topic per
	// second.
	// +optional
	ArrivedPerSecond int64 `json:"arrivedPerSecond"`

	// processedPerSecond is the number of records settled per second.
	// +optional
	ProcessedPerSecond int64 `json:"processedPerSecond"`

	// saturationPercent is the share of their capacity that the pods used; absent
	// if no pod answered.
	// +optional
	SaturationPercent *int32 `json:"saturationPercent,omitempty"`

	// partitions is the number of partitions of the input topic.
	// +optional
	Partitions int32 `json:"partitions"`

	// stuckPartitions is the number of stuck partitions. The decision ignores them,
	// because more pods do not help with a record that can't be processed.
	// +optional
	StuckPartitions int32 `json:"stuckPartitions"`
}
