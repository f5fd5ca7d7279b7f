package v1alpha1

// InputSchemaSpec says that the input's values were written with the schemas of a registry.
type InputSchemaSpec struct {
	// registry says how to reach the schema registry.
	// +required
	Registry SchemaRegistrySpec `json:"registry"`
}

// OutputSchemaSpec says that results are written with the schemas of a registry.
//
// +kubebuilder:validation:XValidation:rule="!has(self.subject) || self.subject == 'TopicName' || has(self.record) || has(self.definition)",fieldPath=".record",message="the subject contains the record's name: write the full name of the results' type, such as com.example.Order"
// +kubebuilder:validation:XValidation:rule="!has(self.register) || !self.register || has(self.definition)",fieldPath=".register",message="there is no definition to register: write one, or remove register"
type OutputSchemaSpec struct {
	// registry says how to reach the schema registry. The default is the registry of
	// input.schema.
	// +optional
	Registry *SchemaRegistrySpec `json:"registry,omitempty"`

	// subject says under which name the registry has the schema of a topic's values.
	// TopicName is the topic with -value after it, RecordName the full name of the
	// results' type, and TopicRecordName the topic, a hyphen and that name.
	// +kubebuilder:default=TopicName
	// +optional
	Subject SubjectStrategy `json:"subject,omitempty"`

	// record is the full name of the results' type, such as com.example.Order.
	// Subjects that contain it need it, and so do Protobuf schemas in which the type
	// is not the first message. The default is the type of the definition.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Record string `json:"record,omitempty"`

	// definition is the schema to write with. Without it, each worker takes the newest
	// schema of the subject when it writes the first result.
	// +optional
	Definition *SchemaDefinition `json:"definition,omitempty"`

	// register lets the workers register the definition under subjects that don't have
	// it. Without it, the definition must be there.
	// +optional
	Register bool `json:"register,omitempty"`
}

// SchemaRegistrySpec says how to reach a schema registry that has the API of Confluent's,
// such as Confluent, Karapace, Redpanda or Apicurio.
//
// +kubebuilder:validation:XValidation:rule="!has(self.basicAuth) || !has(self.tokenSecretRef)",message="set at most one of basicAuth and tokenSecretRef"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.url.startsWith('https://')",fieldPath=".tls",message="the URL begins with http://, so nothing is encrypted: write https://, or remove tls"
type SchemaRegistrySpec struct {
	// url is the registry's URL, such as https://registry.example.com.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https?://[^\\\\s/?#@]+(/[^\\\\s?#]*)?)?$')",message="must be a URL that begins with https:// or http://, without a user name, a query and a fragment"
	// +required
	URL string `json:"url"`

	// tls says which certificates to trust and which one to present. Without the field
	// the worker trusts the certificate authorities of its image.
	// +optional
	TLS *TLSSpec `json:"tls,omitempty"`

	// basicAuth is a user's name and password.
	// +optional
	BasicAuth *BasicAuthSpec `json:"basicAuth,omitempty"`

	// tokenSecretRef names a Secret with a bearer token.
	// +optional
	TokenSecretRef *SecretKeyRef `json:"tokenSecretRef,omitempty"`
}

// BasicAuthSpec is a user's name and password.
//
// +kubebuilder:validation:XValidation:rule="has(self.username) != has(self.usernameSecretRef)",fieldPath=".username",message="set exactly one of username and usernameSecretRef"
type BasicAuthSpec struct {
	// username is the user's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Username string `json:"username,omitempty"`

	// usernameSecretRef names a Secret with the user's name, instead of username.
	// +optional
	UsernameSecretRef *SecretKeyRef `json:"usernameSecretRef,omitempty"`

	// passwordSecretRef names a Secret with the user's password.
	// +required
	PasswordSecretRef SecretKeyRef `json:"passwordSecretRef"`
}

// SchemaDefinition is a schema's text.
type SchemaDefinition struct {
	// type is the schema's language.
	// +required
	Type SchemaType `json:"type"`

	// text is the schema. It refers to no others.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=262144
	// +required
	Text string `json:"text"`
}

// SchemaType is a language of schemas.
//
// +kubebuilder:validation:Enum=Avro;Protobuf;JSON
type SchemaType string

// The types of schemas.
const (
	AvroSchema     SchemaType = "Avro"
	ProtobufSchema SchemaType = "Protobuf"
	JSONSchema     SchemaType = "JSON"
)

// SubjectStrategy says under which name a registry has the schema of a topic's values.
//
// +kubebuilder:validation:Enum=TopicName;RecordName;TopicRecordName
type SubjectStrategy string

// The strategies.
const (
	TopicNameSubject       SubjectStrategy = "TopicName"
	RecordNameSubject      SubjectStrategy = "RecordName"
	TopicRecordNameSubject SubjectStrategy = "TopicRecordName"
)
