package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// InputSpec defines the input topic.
type InputSpec struct {
	// topic is the topic's name. The topic must exist.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]*$') && self != '.' && self != '..'",message="must be a name that Kafka allows: ASCII letters, digits, '.', '_' and '-' only, and neither '.' nor '..'"
	// +required
	Topic string `json:"topic"`

	// groupId is the consumer group that commits the offsets. The default is
	// "millrace-NAMESPACE.NAME", or "millrace-NAME" without a namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 255 && !self.matches('[[:cntrl:]]') && self != '.' && self != '..'",message="must be a group's name of at most 255 bytes, without control characters, and neither '.' nor '..'"
	// +optional
	GroupID *string `json:"groupId,omitempty"`

	// partitions is the number of partitions of the topic. Set it only where the
	// operator can't reach Kafka: it bounds the number of pods until a pod reports
	// the number. A number from Kafka or from a pod takes precedence.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Partitions *int32 `json:"partitions,omitempty"`

	// startOffset says where reading starts in the partitions that exist when the
	// group first starts: at the oldest record, or at the next record to arrive.
	// Reading always starts at the oldest record of partitions that are added
	// later, and of a topic that is created again.
	// +kubebuilder:default=Earliest
	// +optional
	StartOffset StartOffset `json:"startOffset,omitempty"`

	// isolation says whether the worker reads records whose transaction is still
	// open or was aborted. It matters only where producers use transactions.
	// +kubebuilder:default=ReadCommitted
	// +optional
	Isolation Isolation `json:"isolation,omitempty"`

	// onDataLoss says what happens to a partition of which Kafka has lost offsets:
	// retention deleted records that were not read yet, an unclean leader election
	// truncated the log, or somebody deleted the topic and created it again.
	// Continue reports the loss and reads on with the records that exist. Halt
	// stops reading that partition until somebody has looked.
	// +kubebuilder:default=Continue
	// +optional
	OnDataLoss OnDataLoss `json:"onDataLoss,omitempty"`

	// schema makes JSON of values that were written with the schemas of a registry, by
	// serializers for Avro, Protobuf or JSON Schema. Without the field the values stay
	// as they are.
	// +optional
	Schema *InputSchemaSpec `json:"schema,omitempty"`
}

// OnDataLoss says what happens to a partition of which Kafka has lost offsets.
//
// +kubebuilder:validation:Enum=Continue;Halt
type OnDataLoss string

// The reactions to a loss of data.
const (
	ContinueOnLoss OnDataLoss = "Continue"
	HaltOnLoss     OnDataLoss = "Halt"
)

// StartOffset says where reading starts in a partition without a committed offset.
//
// +kubebuilder:validation:Enum=Earliest;Latest
type StartOffset string

// The start offsets.
const (
	Earliest StartOffset = "Earliest"
	Latest   StartOffset = "Latest"
)

// Isolation says which records of transactions are read.
//
// +kubebuilder:validation:Enum=ReadCommitted;ReadUncommitted
type Isolation string

// The isolation levels.
const (
	ReadCommitted   Isolation = "ReadCommitted"
	ReadUncommitted Isolation = "ReadUncommitted"
)

// OutputSpec says where results go and how they are written.
//
// +kubebuilder:validation:XValidation:rule="!has(self.create) || has(self.topic)",fieldPath=".create",message="output.create needs output.topic, because the worker creates no other topic: name the topic, or remove output.create"
type OutputSpec struct {
	// topic is the topic for results that name none. Without the field each result
	// must name its topic.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]*$') && self != '.' && self != '..'",message="must be a name that Kafka allows: ASCII letters, digits, '.', '_' and '-' only, and neither '.' nor '..'"
	// +optional
	Topic string `json:"topic,omitempty"`

	// kafka says how to reach the cluster that results are written to, if it is not
	// the one of spec.kafka. The topics that results name are on this cluster too.
	// Dead letters go to the cluster of spec.kafka.
	// +optional
	Kafka *KafkaSpec `json:"kafka,omitempty"`

	// compression is the codec for results. zstd and lz4 cost little CPU for the
	// space that they save.
	// +kubebuilder:default=none
	// +optional
	Compression Compression `json:"compression,omitempty"`

	// create lets the worker create the topic if it does not exist. The worker
	// never changes an existing topic. Without the field the topic must exist.
	// +optional
	Create *CreateTopicSpec `json:"create,omitempty"`

	// deliveryTimeout is how long a partition of the topic may refuse results
	// without a known reason, for example with an unknown server error, before the
	// failure policy decides about their records; from 1s to 24h. Outages do not
	// count: results wait until Kafka is back.
	// +kubebuilder:default="2m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="must be a duration from 1s to 24h, such as 30s or 2m"
	// +optional
	DeliveryTimeout *metav1.Duration `json:"deliveryTimeout,omitempty"`

	// schema writes the results, which are JSON, with the schemas of a registry. Without
	// the field the results are written as they are.
	// +optional
	Schema *OutputSchemaSpec `json:"schema,omitempty"`
}

// Compression is a codec of Kafka.
//
// +kubebuilder:validation:Enum=none;gzip;snappy;lz4;zstd
type Compression string

// The codecs.
const (
	NoCompression Compression = "none"
	Gzip          Compression = "gzip"
	Snappy        Compression = "snappy"
	LZ4           Compression = "lz4"
	Zstd          Compression = "zstd"
)

// CreateTopicSpec is the shape of a topic that the worker creates if it does not exist.
type CreateTopicSpec struct {
	// partitions is the number of partitions.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +required
	Partitions int32 `json:"partitions"`

	// replicationFactor is the number of copies of each partition. The default is
	// the cluster's.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	ReplicationFactor *int16 `json:"replicationFactor,omitempty"`
}
