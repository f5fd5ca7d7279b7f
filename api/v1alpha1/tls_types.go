package v1alpha1

// TLSSpec says which certificates to trust and which one to present.
//
// +kubebuilder:validation:XValidation:rule="has(self.certificateSecretRef) == has(self.keySecretRef)",message="certificateSecretRef and keySecretRef belong together: set both or neither"
type TLSSpec struct {
	// ca lists the certificate authorities for the brokers' certificates. A
	// certificate needs to be signed by one of them; while you replace an
	// authority, name the old one and the new one. If the list is absent or empty,
	// the worker trusts the authorities of its image.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	CA []CASource `json:"ca,omitempty"`

	// certificateSecretRef names the certificate (PEM) that the worker presents,
	// followed by intermediate certificates if there are any.
	// +optional
	CertificateSecretRef *CertificateRef `json:"certificateSecretRef,omitempty"`

	// keySecretRef names the private key (PEM) of that certificate.
	// +optional
	KeySecretRef *PrivateKeyRef `json:"keySecretRef,omitempty"`

	// serverName is the name that the brokers' certificates must be valid for. The
	// default is the name in the broker's address.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-_a-zA-Z0-9.:]*$')",message="must be a host's name or an IP address, without a port"
	// +optional
	ServerName string `json:"serverName,omitempty"`
}

// CASource names certificate authorities (PEM) in a Secret or a ConfigMap.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) != has(self.configMapRef)",message="must have exactly one of secretRef and configMapRef"
type CASource struct {
	// secretRef names a key of a Secret.
	// +optional
	SecretRef *CARef `json:"secretRef,omitempty"`

	// configMapRef names a key of a ConfigMap.
	// +optional
	ConfigMapRef *CARef `json:"configMapRef,omitempty"`
}
