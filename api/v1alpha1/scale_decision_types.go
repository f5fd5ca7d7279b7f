package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ScaleDecision is a change of the number of pods or of their CPU, and why; or why
// there is none although records wait.
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

	// cpu is the change of each pod's CPU; absent if it stays as it is.
	// +optional
	CPU *CPUChange `json:"cpu,omitempty"`

	// reason is the rule that decided, in one word.
	// +required
	Reason string `json:"reason"`

	// message says the same to a person.
	// +optional
	Message string `json:"message,omitempty"`

	// inputs are the figures that it went by.
	// +optional
	Inputs ScaleInputs `json:"inputs,omitzero"`

	// at is when it was made.
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

	// saturationPercent is how much of their capacity the pods used; absent
	// when none could be asked.
	// +optional
	SaturationPercent *int32 `json:"saturationPercent,omitempty"`

	// partitions is how many the input topic had.
	// +optional
	Partitions int32 `json:"partitions"`

	// stuckPartitions is how many of them were left out, because more pods do
	// not help with a record that can't be processed.
	// +optional
	StuckPartitions int32 `json:"stuckPartitions"`
}
