package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VerticalStatus is how far autoscaling.vertical has come.
type VerticalStatus struct {
	// cpu is the CPU limit that each pod is to have.
	// +required
	CPU resource.Quantity `json:"cpu"`

	// resizedReplicas is the number of pods that have it.
	// +optional
	ResizedReplicas int32 `json:"resizedReplicas"`
}

// AutoscalingStatus is what autoscaling has learnt. None of it changes with time
// alone.
type AutoscalingStatus struct {
	// podRecordsPerSecond is how many records one pod can process; absent until
	// that is known.
	// +optional
	PodRecordsPerSecond *int64 `json:"podRecordsPerSecond,omitempty"`

	// lastChange is when autoscaling last changed something.
	// +optional
	LastChange *metav1.Time `json:"lastChange,omitempty"`

	// pauseSeconds is for how long nothing was processed when the number of pods
	// changed last.
	// +optional
	PauseSeconds int32 `json:"pauseSeconds,omitempty"`

	// idle is there while nothing arrives and nothing is left.
	// +optional
	Idle *IdleStatus `json:"idle,omitempty"`

	// enough says since when fewer pods would have been enough, the fewest first.
	// +listType=map
	// +listMapKey=pods
	// +kubebuilder:validation:MaxItems=4
	// +optional
	Enough []EnoughPods `json:"enough,omitempty"`

	// uselessRaises are changes to more pods, or to more CPU, that brought no
	// more throughput. They are not repeated for an hour.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +optional
	UselessRaises []UselessRaise `json:"uselessRaises,omitempty"`
}

// IdleStatus is a time in which nothing happens.
type IdleStatus struct {
	// since is when it began.
	// +required
	Since metav1.Time `json:"since"`

	// endOffsets is the sum of the partitions' ends, which tells that nothing has
	// arrived since then.
	// +required
	EndOffsets int64 `json:"endOffsets"`
}

// EnoughPods is a number of pods that would have been enough.
type EnoughPods struct {
	// pods is their number.
	// +required
	Pods int32 `json:"pods"`

	// since is when they began to be.
	// +required
	Since metav1.Time `json:"since"`
}

// UselessRaise is a raise that brought no more throughput.
type UselessRaise struct {
	// resource is what was raised: Pods, or CPU in thousandths of one.
	// +kubebuilder:validation:Enum=Pods;CPU
	// +required
	Resource string `json:"resource"`

	// from is how much there was before.
	// +required
	From int32 `json:"from"`

	// to is how much there was after.
	// +required
	To int32 `json:"to"`

	// enough is what would have brought as much.
	// +required
	Enough int32 `json:"enough"`

	// partitions are those that were behind, and that it did not help; at most
	// 10. If there were more, the raise counts for all partitions.
	// +listType=set
	// +kubebuilder:validation:MaxItems=10
	// +optional
	Partitions []int32 `json:"partitions,omitempty"`

	// at is when that was seen.
	// +required
	At metav1.Time `json:"at"`
}
