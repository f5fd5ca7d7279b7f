package v1alpha1

// AutoscalingSpec chooses the number of pods from how far they are behind.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",fieldPath=".minReplicas",message="autoscaling.minReplicas is above autoscaling.maxReplicas: lower it, or raise maxReplicas"
type AutoscalingSpec struct {
	// minReplicas is the fewest pods. With 0 none runs while there is nothing
	// to read, and new records start one.
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MinReplicas int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the most pods. There are never more than the input topic
	// has partitions.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +required
	MaxReplicas int32 `json:"maxReplicas"`

	// targetLagSeconds is how long a record may wait before it is processed:
	// the lag, divided by the rate at which records are processed.
	// +kubebuilder:default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	TargetLagSeconds *int32 `json:"targetLagSeconds,omitempty"`

	// mode is Auto, which changes the number of pods, or RecommendOnly, which
	// only says in the status what it would do.
	// +kubebuilder:default=Auto
	// +optional
	Mode AutoscalingMode `json:"mode,omitempty"`
}

// AutoscalingMode says whether decisions are carried out.
//
// +kubebuilder:validation:Enum=Auto;RecommendOnly
type AutoscalingMode string

// The modes.
const (
	Auto          AutoscalingMode = "Auto"
	RecommendOnly AutoscalingMode = "RecommendOnly"
)
