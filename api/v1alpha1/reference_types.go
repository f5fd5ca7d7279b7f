package v1alpha1

// SecretKeyRef names one key of a Secret in the StreamProcessor's namespace.
type SecretKeyRef struct {
	// name is the name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="must be the name of a Secret: lower-case letters, digits, '-' and '.' only, with a letter or digit at both ends"
	// +required
	Name string `json:"name"`

	// key is the key of the Secret that holds the value.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]*$') && !self.startsWith('..') && self != '.'",message="must be a key: ASCII letters, digits, '-', '_' and '.' only"
	// +required
	Key string `json:"key"`
}

// CARef names the key of a Secret or a ConfigMap in the StreamProcessor's namespace
// that holds certificate authorities.
type CARef struct {
	// name is the name of the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="must be the name of a Secret or ConfigMap: lower-case letters, digits, '-' and '.' only, with a letter or digit at both ends"
	// +required
	Name string `json:"name"`

	// key is the key of the object that holds the authorities.
	// +kubebuilder:default="ca.crt"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]*$') && !self.startsWith('..') && self != '.'",message="must be a key: ASCII letters, digits, '-', '_' and '.' only"
	// +optional
	Key string `json:"key,omitempty"`
}

// CertificateRef names the key of a Secret in the StreamProcessor's namespace that
// holds a certificate.
type CertificateRef struct {
	// name is the name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="must be the name of a Secret: lower-case letters, digits, '-' and '.' only, with a letter or digit at both ends"
	// +required
	Name string `json:"name"`

	// key is the key of the Secret that holds the certificate.
	// +kubebuilder:default="tls.crt"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]*$') && !self.startsWith('..') && self != '.'",message="must be a key: ASCII letters, digits, '-', '_' and '.' only"
	// +optional
	Key string `json:"key,omitempty"`
}

// PrivateKeyRef names the key of a Secret in the StreamProcessor's namespace that holds
// a private key.
type PrivateKeyRef struct {
	// name is the name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="must be the name of a Secret: lower-case letters, digits, '-' and '.' only, with a letter or digit at both ends"
	// +required
	Name string `json:"name"`

	// key is the key of the Secret that holds the private key.
	// +kubebuilder:default="tls.key"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]*$') && !self.startsWith('..') && self != '.'",message="must be a key: ASCII letters, digits, '-', '_' and '.' only"
	// +optional
	Key string `json:"key,omitempty"`
}
