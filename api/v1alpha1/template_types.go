package v1alpha1

import "k8s.io/apimachinery/pkg/runtime"

// PodTemplateSpec changes the pods that the operator creates.
type PodTemplateSpec struct {
	// metadata holds labels and annotations for the pods.
	// +optional
	Metadata Metadata `json:"metadata,omitzero"`

	// spec is a part of a pod's spec. The operator merges it into its own pod spec
	// as a strategic merge patch: lists of named items, such as containers, volumes
	// and env, are merged by name, other lists replace the operator's, and null
	// removes a field. The worker's container is named worker. The operator refuses
	// unknown fields, and changes to settings that the worker needs: the condition
	// Stalled then names the field, and the running pods continue.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Spec *runtime.RawExtension `json:"spec,omitempty"`
}

// Metadata holds labels and annotations that users add to an object that the operator
// creates.
type Metadata struct {
	// labels are added to those of the operator.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="['name', 'instance', 'component', 'managed-by'].all(n, !(('app.kubernetes.io/' + n) in self)) && self.all(k, !k.startsWith('millrace.dev/'))",message="the labels app.kubernetes.io/name, /instance, /component and /managed-by and those of millrace.dev/ are the operator's own: remove them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self[k].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))",message="a label's value has ASCII letters, digits, '-', '_' and '.' only, with a letter or digit at both ends"
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to those of the operator.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('millrace.dev/'))",message="the annotations of millrace.dev/ are the operator's own: remove them"
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}
