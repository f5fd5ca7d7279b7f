package config

// InputSchema says that the input's values were written with the schemas of a registry. The
// processor gets them as JSON.
type InputSchema struct {
	Registry SchemaRegistry `json:"registry"`
}

// OutputSchema says that the results, which are JSON, are written with the schemas of a
// registry.
type OutputSchema struct {
	// Registry is the registry; nil means that of the input.
	Registry *SchemaRegistry `json:"registry,omitempty"`
	// Subject says how the registry names the schema of a topic's values.
	Subject SubjectStrategy `json:"subject"`
	// Record is the full name of the results' type. The subjects that contain it need it,
	// and schemas with several messages. The default is that of Definition.
	Record string `json:"record,omitempty"`
	// Definition is the schema to write with. Without it, the worker takes the subject's
	// newest one.
	Definition *SchemaDefinition `json:"definition,omitempty"`
	// Register lets the worker register Definition under subjects that don't have it.
	Register bool `json:"register,omitempty"`
}

// SchemaRegistry says how to reach a schema registry that has the API of Confluent's.
type SchemaRegistry struct {
	URL string `json:"url"`
	TLS *TLS   `json:"tls,omitempty"`
	// Username or UsernameFile, and PasswordFile, are for basic authentication.
	Username     string `json:"username,omitempty"`
	UsernameFile string `json:"usernameFile,omitempty"`
	PasswordFile string `json:"passwordFile,omitempty"`
	// TokenFile names the file with a bearer token, in place of a user and a password.
	TokenFile string `json:"tokenFile,omitempty"`
}

// SchemaDefinition is a schema's text.
type SchemaDefinition struct {
	Type SchemaType `json:"type"`
	Text string     `json:"text"`
}

// SchemaType is a language of schemas.
type SchemaType string

// The types of schemas.
const (
	Avro       SchemaType = "Avro"
	Protobuf   SchemaType = "Protobuf"
	JSONSchema SchemaType = "JSON"
)

// SubjectStrategy says how a registry names the schema of a topic's values.
type SubjectStrategy string

// The strategies.
const (
	// TopicNameSubject is the topic with -value after it.
	TopicNameSubject SubjectStrategy = "TopicName"
	// RecordNameSubject is the full name of the record's type.
	RecordNameSubject SubjectStrategy = "RecordName"
	// TopicRecordNameSubject is the topic, a hyphen and the full name of the record's type.
	TopicRecordNameSubject SubjectStrategy = "TopicRecordName"
)
