package v1alpha1

// TLSSpec says which certificates to trust and which one to show.
//
// +kubebuilder:validation:XValidation:rule="has(self.certificateSecretRef) == has(self.keySecretRef)",message="certificateSecretRef and keySecretRef belong together: set both or neither"
type TLSSpec struct {
	// ca lists the certificate authorities that the brokers' certificates are
	// checked against. One that signed them is enough; while an authority is
	// replaced, name the old one and the new one. Absent or empty, the
	// authorities of the worker's image are trusted.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	CA []CASource `json:"ca,omitempty"`

	// certificateSecretRef names the certificate (PEM) that the worker
	// authenticates itself with, followed by the intermediate ones if there are
	// any.
	// +optional
	CertificateSecretRef *CertificateRef `json:"certificateSecretRef,omitempty"`

	// keySecretRef names the private key (PEM) of that certificate.
	// +optional
	KeySecretRef *PrivateKeyRef `json:"keySecretRef,omitempty"`

	// serverName is the name that the brokers' certificates must be valid for,
	// if it is not the one in their address.
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
