package v1alpha1

import corev1 "k8s.io/api/core/v1"

// PodTemplateSpec adds to the pods what they need beside the processor. The
// fields mean what they mean in a pod.
type PodTemplateSpec struct {
	// labels are added to the pods. Those of the operator's own (app.kubernetes.io/)
	// can't be replaced.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the pods.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// resources are the container's requests and limits. The CPU limit is what
	// concurrency follows if it is 0.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`

	// env are variables for the container.
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`

	// volumes are added to the pods.
	// +listType=map
	// +listMapKey=name
	// +optional
	Volumes []corev1.Volume `json:"volumes,omitempty"`

	// volumeMounts say where the container sees the volumes.
	// +listType=map
	// +listMapKey=mountPath
	// +optional
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`

	// nodeSelector are the labels that a node must have.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations are the taints that the pods put up with.
	// +listType=atomic
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity says which nodes to prefer, and which other pods to be near or
	// away from.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// imagePullSecrets are the secrets that the image is fetched with.
	// +listType=map
	// +listMapKey=name
	// +optional
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
}
