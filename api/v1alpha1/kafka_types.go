package v1alpha1

// KafkaSpec says how to reach a Kafka cluster.
type KafkaSpec struct {
	// bootstrapServers are brokers to make first contact with, each as
	// host:port. One that answers is enough; name several so that one may be
	// down.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=260
	// +kubebuilder:validation:items:XValidation:rule=`self.matches('^([^\\s,/:\\[\\]]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$') && int(self.substring(self.lastIndexOf(':') + 1)) >= 1 && int(self.substring(self.lastIndexOf(':') + 1)) <= 65535`,message="must be host:port, such as kafka:9092, with a port from 1 to 65535, and one broker in each item"
	// +required
	BootstrapServers []string `json:"bootstrapServers"`

	// tls encrypts the connections. {} trusts the certificate authorities of
	// the worker's image; without the field nothing is encrypted.
	// +optional
	TLS *TLSSpec `json:"tls,omitempty"`

	// sasl authenticates the worker with a user name and a password.
	// +optional
	SASL *SASLSpec `json:"sasl,omitempty"`
}

// TLSSpec says whom to trust and who we are.
type TLSSpec struct {
	// caSecretRef names the secret with the certificate authorities (PEM) that
	// the brokers' certificates are checked against.
	// +optional
	CASecretRef *SecretKeyRef `json:"caSecretRef,omitempty"`

	// certSecretRef names a secret of the type kubernetes.io/tls with the
	// certificate and key (tls.crt and tls.key) that the worker authenticates
	// itself with.
	// +optional
	CertSecretRef *SecretRef `json:"certSecretRef,omitempty"`

	// serverName is the name that the brokers' certificates must be valid for,
	// if it is not the one in their address.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-_a-zA-Z0-9.:]*$')",message="must be a host's name or an IP address, without a port"
	// +optional
	ServerName string `json:"serverName,omitempty"`
}

// SASLSpec authenticates with a user name and a password.
type SASLSpec struct {
	// mechanism is how the password is shown to the broker. PLAIN sends it as
	// it is: use it over TLS only.
	// +required
	Mechanism SASLMechanism `json:"mechanism"`

	// secretRef names a secret with the keys username and password.
	// +required
	SecretRef SecretRef `json:"secretRef"`
}

// SASLMechanism is a way to authenticate.
//
// +kubebuilder:validation:Enum=PLAIN;SCRAM-SHA-256;SCRAM-SHA-512
type SASLMechanism string

// The mechanisms.
const (
	SASLPlain       SASLMechanism = "PLAIN"
	SASLScramSHA256 SASLMechanism = "SCRAM-SHA-256"
	SASLScramSHA512 SASLMechanism = "SCRAM-SHA-512"
)

// SecretRef names a secret in the StreamProcessor's namespace.
type SecretRef struct {
	// name is the secret's.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="must be a Secret's name: lower-case letters, digits, '-' and '.' only, with a letter or digit at both ends"
	// +required
	Name string `json:"name"`
}

// SecretKeyRef names one key of a secret in the StreamProcessor's namespace.
type SecretKeyRef struct {
	// name is the secret's.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="must be a Secret's name: lower-case letters, digits, '-' and '.' only, with a letter or digit at both ends"
	// +required
	Name string `json:"name"`

	// key is the one of the secret's keys to use.
	// +kubebuilder:default="ca.crt"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]*$') && !self.startsWith('..') && self != '.'",message="must be a Secret's key: ASCII letters, digits, '-', '_' and '.' only"
	// +optional
	Key string `json:"key,omitempty"`
}
