package v1alpha1

import corev1 "k8s.io/api/core/v1"

// PodTemplateSpec adds to the pods what they need beside the processor. The
// fields mean what they mean in a pod.
//
// +kubebuilder:validation:XValidation:rule="!has(self.volumeMounts) || self.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name))",fieldPath=".volumeMounts",message="each of volumeMounts must name one of volumes"
type PodTemplateSpec struct {
	// labels are added to the pods. Those that the operator finds the pods by
	// can't be among them.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="['name', 'instance', 'component', 'managed-by'].all(n, !(('app.kubernetes.io/' + n) in self)) && self.all(k, !k.startsWith('millrace.dev/'))",message="the labels app.kubernetes.io/name, /instance, /component and /managed-by and those of millrace.dev/ are the operator's own: leave them away"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self[k].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))",message="a label's value has ASCII letters, digits, '-', '_' and '.' only, with a letter or digit at both ends"
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the pods.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('millrace.dev/'))",message="the annotations of millrace.dev/ are the operator's own: leave them away"
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// resources are the container's requests and limits. The CPU limit is what
	// concurrency follows if it is 0.
	// +kubebuilder:validation:XValidation:rule="!has(self.limits) || !has(self.requests) || ['cpu', 'memory', 'ephemeral-storage'].all(r, !(r in self.limits) || !(r in self.requests) || ![self.requests[r], self.limits[r]].all(q, string(q).matches('^[0-9]+([.][0-9]*)?([eE][-+]?[0-9]{1,2}|[KMGTPE]i|[numkMGTPE])?$')) || quantity(string(self.requests[r])).compareTo(quantity(string(self.limits[r]))) <= 0)",message="a request is above its limit: lower the request or raise the limit"
	// +kubebuilder:validation:XValidation:rule="!has(self.claims)",fieldPath=".claims",message="claims need resourceClaims of the pod, which can't be set here: leave them away"
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`

	// env are variables for the container.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(v, v.name != '' && !v.name.contains('='))",message="each variable needs a name, and '=' can't be in it"
	// +kubebuilder:validation:XValidation:rule="self.all(v, !v.name.startsWith('MILLRACE_'))",message="variables that begin with MILLRACE_ are the operator's own: choose another name"
	// +kubebuilder:validation:XValidation:rule="self.all(v, !has(v.valueFrom) || !has(v.value) || v.value == '')",message="a variable has value or valueFrom, not both: leave one of them away"
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`

	// volumes are added to the pods. They are of the kinds that restricted
	// pods may have.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(v, v.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",message="a volume's name has lower-case letters, digits and '-' only, with a letter or digit at both ends"
	// +kubebuilder:validation:XValidation:rule="self.all(v, !v.name.startsWith('millrace'))",message="volumes that begin with millrace are the operator's own: choose another name"
	// +kubebuilder:validation:XValidation:rule="self.all(v, has(v.configMap) || has(v.csi) || has(v.downwardAPI) || has(v.emptyDir) || has(v.ephemeral) || has(v.image) || has(v.persistentVolumeClaim) || has(v.projected) || has(v.secret))",message="a volume must be of a kind that restricted pods may have: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or secret"
	// +optional
	Volumes []corev1.Volume `json:"volumes,omitempty"`

	// volumeMounts say where the container sees the volumes.
	// +listType=map
	// +listMapKey=mountPath
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(m, m.mountPath.matches('^/([^/.:][^/:]*(/[^/.:][^/:]*)*)?/?$'))",message="a mountPath must begin with '/', and have no ':', no '//' and no part that begins with '.'"
	// +kubebuilder:validation:XValidation:rule="self.all(m, !(m.mountPath in ['/', '/etc', '/etc/']) && !m.mountPath.startsWith('/etc/millrace'))",message="/etc/millrace and what is beside it are the operator's own, and / and /etc would hide them: choose another mountPath"
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
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(s, s.name != '')",message="each item must name a Secret"
	// +optional
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
}
