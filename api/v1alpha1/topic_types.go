package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// InputSpec is the topic that is read.
type InputSpec struct {
	// topic is the topic's name. It must exist.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]*$') && self != '.' && self != '..'",message="must be a name that Kafka allows: ASCII letters, digits, '.', '_' and '-' only, and neither '.' nor '..'"
	// +required
	Topic string `json:"topic"`

	// groupId is the consumer group that offsets are committed for. Without the
	// field it is "millrace-NAMESPACE.NAME", and "millrace-NAME" where there is
	// no namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 255 && !self.matches('[[:cntrl:]]') && self != '.' && self != '..'",message="must be a group's name of at most 255 bytes, without control characters, and neither '.' nor '..'"
	// +optional
	GroupID *string `json:"groupId,omitempty"`

	// partitions is how many partitions the topic has. State it only where the
	// operator can't reach Kafka: it then bounds the number of pods until one of
	// them says how many there are. A number that Kafka or a pod gave counts
	// instead of it.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Partitions *int32 `json:"partitions,omitempty"`

	// startOffset is where reading starts in the partitions that the group
	// finds when it is first started: with their oldest record or with the
	// next one. Partitions that are added later, and a topic that is created
	// again, start with their oldest record.
	// +kubebuilder:default=Earliest
	// +optional
	StartOffset StartOffset `json:"startOffset,omitempty"`

	// isolation says whether records are read whose transaction is still open
	// or was aborted. It matters only where producers use transactions.
	// +kubebuilder:default=ReadCommitted
	// +optional
	Isolation Isolation `json:"isolation,omitempty"`

	// onDataLoss says what to do in a partition of which Kafka has lost
	// offsets: retention deleted records that were not read yet, the log was
	// truncated by an unclean leader election, or the topic was deleted and
	// created again. Continue reports the loss and reads on with what there
	// is; Halt reads no more of that partition until somebody has looked.
	// +kubebuilder:default=Continue
	// +optional
	OnDataLoss OnDataLoss `json:"onDataLoss,omitempty"`
}

// OnDataLoss says what to do in a partition of which Kafka has lost offsets.
//
// +kubebuilder:validation:Enum=Continue;Halt
type OnDataLoss string

// The reactions to a loss of data.
const (
	ContinueOnLoss OnDataLoss = "Continue"
	HaltOnLoss     OnDataLoss = "Halt"
)

// StartOffset is where reading starts when nothing is committed.
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
// +kubebuilder:validation:XValidation:rule="!has(self.create) || has(self.topic)",fieldPath=".create",message="output.create needs output.topic, as no other topic is created: name the topic, or leave output.create away"
type OutputSpec struct {
	// topic is the topic of the results that name none. Without the field each
	// result must name its topic.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]*$') && self != '.' && self != '..'",message="must be a name that Kafka allows: ASCII letters, digits, '.', '_' and '-' only, and neither '.' nor '..'"
	// +optional
	Topic string `json:"topic,omitempty"`

	// kafka says how to reach the cluster that results are written to, if it is
	// not the one of spec.kafka. Topics that results name are on it too. Dead
	// letters go to the cluster of spec.kafka.
	// +optional
	Kafka *KafkaSpec `json:"kafka,omitempty"`

	// compression is the codec that results are compressed with. zstd and lz4
	// cost little CPU for what they save.
	// +kubebuilder:default=none
	// +optional
	Compression Compression `json:"compression,omitempty"`

	// create makes the topic if it does not exist. An existing one is never
	// changed. Without the field the topic must exist.
	// +optional
	Create *CreateTopicSpec `json:"create,omitempty"`

	// deliveryTimeout is how long a partition of the topic may refuse results
	// without a known reason, for example with an unknown server error, before
	// the failure policy decides about their records; from 1s to 24h. Outages do
	// not count: results wait until Kafka is back.
	// +kubebuilder:default="2m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="must be a duration from 1s to 24h, such as 30s or 2m"
	// +optional
	DeliveryTimeout *metav1.Duration `json:"deliveryTimeout,omitempty"`
}

// Compression is a codec of Kafka's.
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

// CreateTopicSpec is the shape of a topic that is made if it does not exist.
type CreateTopicSpec struct {
	// partitions is the number of partitions.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +required
	Partitions int32 `json:"partitions"`

	// replicationFactor is the number of copies of each partition. Without the
	// field it is the cluster's default.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	ReplicationFactor *int16 `json:"replicationFactor,omitempty"`
}
