package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AutoscalingSpec chooses the number of pods from the lag.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",fieldPath=".minReplicas",message="autoscaling.minReplicas is above autoscaling.maxReplicas: lower it, or raise maxReplicas"
type AutoscalingSpec struct {
	// minReplicas is the lowest number of pods. With 0 no pod runs while there is
	// nothing to read, and new records start one.
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MinReplicas int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the highest number of pods. There are never more pods than the
	// input topic has partitions.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +required
	MaxReplicas int32 `json:"maxReplicas"`

	// targetLag is how long a record may wait before it is processed: the lag,
	// divided by the rate at which records are processed; from 1s to 24h.
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="must be a duration from 1s to 24h, such as 30s or 1m30s"
	// +optional
	TargetLag *metav1.Duration `json:"targetLag,omitempty"`

	// mode is Auto, which carries decisions out, or RecommendOnly, which only
	// reports in the status what Auto would do.
	// +kubebuilder:default=Auto
	// +optional
	Mode AutoscalingMode `json:"mode,omitempty"`

	// behavior says how fast the number of pods follows the load.
	// +optional
	Behavior *ScalingBehavior `json:"behavior,omitempty"`

	// vertical gives the pods more CPU, in place and without a rebalance, where
	// more pods can't help: when the number of pods is at its maximum, or when one
	// partition needs more than a pod can do. The container needs a CPU limit, and
	// the cluster needs Kubernetes 1.35 or later.
	// +optional
	Vertical *VerticalScaling `json:"vertical,omitempty"`
}

// AutoscalingMode says whether the operator carries decisions out.
//
// +kubebuilder:validation:Enum=Auto;RecommendOnly
type AutoscalingMode string

// The modes.
const (
	Auto          AutoscalingMode = "Auto"
	RecommendOnly AutoscalingMode = "RecommendOnly"
)

// ScalingBehavior says how fast the number of pods follows the load.
type ScalingBehavior struct {
	// scaleUp applies to changes to more pods.
	// +optional
	ScaleUp ScalingWindow `json:"scaleUp,omitzero"`

	// scaleDown applies to changes to fewer pods.
	// +optional
	ScaleDown ScalingWindow `json:"scaleDown,omitzero"`

	// activationLagThreshold is the number of records that may wait while no pod
	// runs. One more starts a pod.
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +optional
	ActivationLagThreshold int64 `json:"activationLagThreshold,omitempty"`

	// cooldown is the shortest time between two changes of the number of pods or of
	// their CPU; from 0s to 1h. A change that brings the pods within their bounds
	// does not wait for it, and neither does a start from zero.
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) <= duration('1h')",message="must be a duration from 0s to 1h, such as 2m"
	// +optional
	Cooldown *metav1.Duration `json:"cooldown,omitempty"`
}

// ScalingWindow applies to changes in one direction.
type ScalingWindow struct {
	// stabilizationWindow is how long the load has to call for a change before the
	// operator makes it; from 1s to 10m. The default is 15s for more pods, and 5m
	// for fewer.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="must be a duration from 1s to 10m, such as 30s or 5m"
	// +optional
	StabilizationWindow *metav1.Duration `json:"stabilizationWindow,omitempty"`
}

// VerticalScaling bounds the CPU of a pod.
type VerticalScaling struct {
	// maxCPU is the highest CPU limit of a pod; from 10m to 1024. The operator
	// raises the request in proportion, so that the node reserves room for it.
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]+([.][0-9]+)?m?$') && quantity(string(self)).compareTo(quantity('10m')) >= 0 && quantity(string(self)).compareTo(quantity('1024')) <= 0",message="must be an amount of CPU from 10m to 1024, such as 500m or 4"
	// +required
	MaxCPU resource.Quantity `json:"maxCPU"`

	// step is the smallest raise of the CPU limit; from 10m to 1024. The default is
	// the CPU limit of the container.
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]+([.][0-9]+)?m?$') && quantity(string(self)).compareTo(quantity('10m')) >= 0 && quantity(string(self)).compareTo(quantity('1024')) <= 0",message="must be an amount of CPU from 10m to 1024, such as 500m or 4"
	// +optional
	Step *resource.Quantity `json:"step,omitempty"`
}
