package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VerticalStatus is the progress of autoscaling.vertical.
type VerticalStatus struct {
	// cpu is the CPU limit that the operator has chosen for each pod.
	// +required
	CPU resource.Quantity `json:"cpu"`

	// resizedReplicas is the number of pods that have this limit.
	// +optional
	ResizedReplicas int32 `json:"resizedReplicas"`
}

// AutoscalingStatus holds what autoscaling has learned. No field changes with time
// alone.
type AutoscalingStatus struct {
	// podRecordsPerSecond is the number of records that one pod can process per
	// second. It is absent until that is known.
	// +optional
	PodRecordsPerSecond *int64 `json:"podRecordsPerSecond,omitempty"`

	// lastChange is the time of the last change that autoscaling made.
	// +optional
	LastChange *metav1.Time `json:"lastChange,omitempty"`

	// pauseSeconds is the time without any processing at the last change of the
	// number of pods.
	// +optional
	PauseSeconds int32 `json:"pauseSeconds,omitempty"`

	// idle is present while no record arrives and none is left.
	// +optional
	Idle *IdleStatus `json:"idle,omitempty"`

	// enough lists numbers of pods that would have been enough, and since when, the
	// lowest first.
	// +listType=map
	// +listMapKey=pods
	// +kubebuilder:validation:MaxItems=4
	// +optional
	Enough []EnoughPods `json:"enough,omitempty"`

	// uselessRaises are changes to more pods, or to more CPU, that brought no more
	// throughput. Autoscaling does not repeat them for an hour.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +optional
	UselessRaises []UselessRaise `json:"uselessRaises,omitempty"`
}

// IdleStatus is a time without records.
type IdleStatus struct {
	// since is the time at which it began.
	// +required
	Since metav1.Time `json:"since"`

	// endOffsets is the sum of the partitions' ends. While it stays the same, no
	// record has arrived.
	// +required
	EndOffsets int64 `json:"endOffsets"`
}

// EnoughPods is a number of pods that would have been enough.
type EnoughPods struct {
	// pods is the number.
	// +required
	Pods int32 `json:"pods"`

	// since is the time from which on that many pods would have been enough.
	// +required
	Since metav1.Time `json:"since"`
}

// UselessRaise is a raise that brought no more throughput.
type UselessRaise struct {
	// resource is Pods for a raise of the number of pods, or CPU for one of their
	// CPU, in thousandths of a CPU.
	// +kubebuilder:validation:Enum=Pods;CPU
	// +required
	Resource string `json:"resource"`

	// from is the amount before the raise.
	// +required
	From int32 `json:"from"`

	// to is the amount after the raise.
	// +required
	To int32 `json:"to"`

	// enough is the lowest amount that brings as much throughput.
	// +required
	Enough int32 `json:"enough"`

	// partitions are those that were behind and that the raise did not help; at
	// most 10. If there were more, the list is absent and the raise counts for all
	// partitions.
	// +listType=set
	// +kubebuilder:validation:MaxItems=10
	// +optional
	Partitions []int32 `json:"partitions,omitempty"`

	// at is the time at which the raise was last seen not to help.
	// +required
	At metav1.Time `json:"at"`
}
