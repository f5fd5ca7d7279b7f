package v1alpha1

// KafkaSpec says how to reach a Kafka cluster.
type KafkaSpec struct {
	// bootstrapServers are the brokers to contact first, each as host:port. One
	// that answers is enough; name several, so that one may be down.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=260
	// +kubebuilder:validation:items:XValidation:rule=`self.matches('^([^\\s,/:\\[\\]]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$') && int(self.substring(self.lastIndexOf(':') + 1)) >= 1 && int(self.substring(self.lastIndexOf(':') + 1)) <= 65535`,message="must be host:port, such as kafka:9092, with a port from 1 to 65535, and one broker in each item"
	// +required
	BootstrapServers []string `json:"bootstrapServers"`

	// tls encrypts the connections. {} trusts the certificate authorities of the
	// worker's image. Without the field the connections are not encrypted.
	// +optional
	TLS *TLSSpec `json:"tls,omitempty"`

	// sasl authenticates the worker: with a user name and a password, with an OAuth
	// 2 token, or with its AWS identity.
	// +optional
	SASL *SASLSpec `json:"sasl,omitempty"`
}
