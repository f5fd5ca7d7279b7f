package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StreamProcessor reads a Kafka topic, processes the records in parallel, writes the
// results to other topics, and commits offsets only when the results are safe.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=sp
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.status.replicas`
// +kubebuilder:printcolumn:name="Partitions",type=integer,JSONPath=`.status.input.partitions`
// +kubebuilder:printcolumn:name="Lag",type=integer,JSONPath=`.status.input.lag`
// +kubebuilder:printcolumn:name="LagSeconds",type=integer,JSONPath=`.status.input.lagSeconds`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ReadyReplicas",type=integer,priority=1,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Suspended",type=boolean,priority=1,JSONPath=`.spec.suspend`
// +kubebuilder:printcolumn:name="Input",type=string,priority=1,JSONPath=`.spec.input.topic`
// +kubebuilder:printcolumn:name="Output",type=string,priority=1,JSONPath=`.spec.output.topic`
// +kubebuilder:printcolumn:name="Group",type=string,priority=1,JSONPath=`.status.input.groupId`
// +kubebuilder:printcolumn:name="ScaleReason",type=string,priority=1,JSONPath=`.status.lastScaleDecision.reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,54}[a-z0-9])?$')",message="metadata.name must have at most 56 characters, lower-case letters, digits and '-' only, begin with a letter and not end with '-': the operator names objects after it, among them a Service"
// +kubebuilder:validation:XValidation:rule="oldSelf.spec.suspend || has(self.spec.input.groupId) == has(oldSelf.spec.input.groupId) && (!has(self.spec.input.groupId) || self.spec.input.groupId == oldSelf.spec.input.groupId)",fieldPath=".spec.input.groupId",message="input.groupId can be changed only when suspend is already true, because processing then continues from the other group's offsets: suspend the StreamProcessor first"
type StreamProcessor struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec StreamProcessorSpec `json:"spec"`
	// The default tells tools that no operator has looked at the object yet.
	// +kubebuilder:default={observedGeneration:-1}
	// +optional
	Status StreamProcessorStatus `json:"status,omitempty"`
}

// StreamProcessorList is a list of StreamProcessors.
//
// +kubebuilder:object:root=true
type StreamProcessorList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []StreamProcessor `json:"items"`
}

// StreamProcessorSpec defines the input, the processing and the output.
//
// +kubebuilder:validation:XValidation:rule="!has(self.output) || !has(self.output.topic) || self.input.topic != self.output.topic || has(self.output.kafka) && !self.output.kafka.bootstrapServers.exists(server, server in self.kafka.bootstrapServers)",fieldPath=".output.topic",message="output.topic is the input topic, so the worker would read its own results again for ever: name another topic, or set output.kafka to the brokers of another cluster"
// +kubebuilder:validation:XValidation:rule="!has(self.failure.deadLetter) || self.failure.deadLetter.topic != self.input.topic",fieldPath=".failure.deadLetter.topic",message="failure.deadLetter.topic is the input topic, so the worker would read its own dead letters again for ever: name another topic"
// +kubebuilder:validation:XValidation:rule="!has(self.failure.deadLetter) || !has(self.output) || !has(self.output.topic) || self.failure.deadLetter.topic != self.output.topic || has(self.output.kafka) && !self.output.kafka.bootstrapServers.exists(server, server in self.kafka.bootstrapServers)",fieldPath=".failure.deadLetter.topic",message="failure.deadLetter.topic is the output topic, whose readers would take dead letters for results: name another topic"
// +kubebuilder:validation:XValidation:rule="!has(self.processor.cel) || has(self.processor.cel.topic) || has(self.output) && has(self.output.topic)",fieldPath=".output.topic",message="processor.cel writes a result for each record that its filter keeps, and there is no topic for it: set output.topic, or processor.cel.topic to an expression that names one"
// +kubebuilder:validation:XValidation:rule="oldSelf.suspend || self.kafka.bootstrapServers.exists(server, server in oldSelf.kafka.bootstrapServers)",fieldPath=".kafka.bootstrapServers",message="kafka.bootstrapServers can be replaced as a whole only when suspend is already true, because another cluster has other records and other offsets: keep one of the brokers, or suspend the StreamProcessor first"
// +kubebuilder:validation:XValidation:rule="oldSelf.suspend || self.input.topic == oldSelf.input.topic",fieldPath=".input.topic",message="input.topic can be changed only when suspend is already true: suspend the StreamProcessor first"
// +kubebuilder:validation:XValidation:rule="!has(self.processor.sidecar) || !has(self.autoscaling) || !has(self.autoscaling.vertical)",fieldPath=".autoscaling.vertical",message="autoscaling.vertical gives CPU to the worker's container, and with processor.sidecar the work is in another one: remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.transaction) || self.delivery == 'ExactlyOnce'",fieldPath=".transaction",message="transaction is for delivery ExactlyOnce: remove it, or set delivery to ExactlyOnce"
// +kubebuilder:validation:XValidation:rule="self.delivery != 'ExactlyOnce' || !has(self.output) || !has(self.output.kafka)",fieldPath=".output.kafka",message="with delivery ExactlyOnce results and offsets are written in one transaction, in the cluster of spec.kafka: remove output.kafka, or set delivery to AtLeastOnce"
// +kubebuilder:validation:XValidation:rule="!has(self.transaction) || !has(self.transaction.timeout) || ![self.transaction.timeout, self.drainTimeout].all(d, d.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$')) || duration(self.transaction.timeout) <= duration(self.drainTimeout)",fieldPath=".transaction.timeout",message="transaction.timeout is above drainTimeout, so a pod that stops could not wait for its transaction: lower the timeout, or raise drainTimeout"
type StreamProcessorSpec struct {
	// kafka says how to reach the cluster of the input topic, the consumer group
	// and the dead letters. Results go to this cluster too, unless output.kafka is
	// set.
	// +required
	Kafka KafkaSpec `json:"kafka"`

	// input is the topic to read.
	// +required
	Input InputSpec `json:"input"`

	// output says where results go. Leave it out if the processor writes nothing,
	// or if it names a topic for each of its results.
	// +optional
	Output *OutputSpec `json:"output,omitempty"`

	// processor defines the processing of each record. Set exactly one of cel and
	// container.
	// +required
	Processor ProcessorSpec `json:"processor"`

	// ordering says which records a pod may process at the same time. Unordered:
	// any records. Key: the records of one partition with the same key run one
	// after another, and their results keep their order. Partition: all records of
	// a partition run one after another, and their results keep their order.
	// +kubebuilder:default=Unordered
	// +optional
	Ordering Ordering `json:"ordering,omitempty"`

	// delivery is the guarantee for each record. AtLeastOnce: no record is lost,
	// but after a crash some records are processed again, and their results are
	// written again. ExactlyOnce: results, dead letters and offsets are written in
	// one Kafka transaction, so each record counts once for readers of the output
	// with the isolation level read_committed, whatever crashes; what a processor
	// does outside Kafka may still happen again.
	// +kubebuilder:default=AtLeastOnce
	// +optional
	Delivery Delivery `json:"delivery,omitempty"`

	// transaction bounds the transactions of delivery ExactlyOnce.
	// +optional
	Transaction *TransactionSpec `json:"transaction,omitempty"`

	// concurrency is the number of records that one pod processes at the same time.
	// The default is the container's CPU limit, which suits processors that keep a
	// CPU busy. Choose more for processors that wait.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Concurrency *int32 `json:"concurrency,omitempty"`

	// inFlight bounds the records that one pod has read and not settled yet, and
	// thereby its memory.
	// +kubebuilder:default={}
	// +optional
	InFlight InFlightSpec `json:"inFlight,omitzero"`

	// failure says what happens to a record that can't be processed.
	// +kubebuilder:default={}
	// +optional
	Failure FailureSpec `json:"failure,omitzero"`

	// replicas is the number of pods. The operator starts no more pods than the
	// input topic has partitions, because further pods would have nothing to do.
	// Without the field the present number stays, and is 1 at first; so the pods
	// that autoscaling has chosen stay when you switch autoscaling off. While
	// autoscaling chooses the number, the operator ignores replicas. A
	// HorizontalPodAutoscaler does nothing until replicas is set.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`

	// autoscaling chooses the number of pods from the lag. Without it, and with
	// mode RecommendOnly, the number is replicas.
	// +optional
	Autoscaling *AutoscalingSpec `json:"autoscaling,omitempty"`

	// drainTimeout bounds how long a pod that stops, or gives partitions up, waits
	// for its records in flight; from 1s to 1h. The pod takes up to 8s more for its
	// last commit and for leaving the group, and is killed 10s after the drain
	// timeout. The next owner of the partitions processes the records again that
	// are not settled by then.
	// +kubebuilder:default="20s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="must be a duration from 1s to 1h, such as 20s or 1m30s"
	// +optional
	DrainTimeout *metav1.Duration `json:"drainTimeout,omitempty"`

	// logLevel sets how much the pods log. Info: changes and problems, and a few
	// lines a second about failed records. Debug: each failed attempt too. The
	// default is the --worker-log-level of the operator, which is Info unless it is
	// set.
	// +optional
	LogLevel LogLevel `json:"logLevel,omitempty"`

	// suspend stops all pods after they have drained. The offsets stay committed,
	// so processing continues from there later.
	// +kubebuilder:default=false
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// deletionPolicy says what happens to the consumer group when the
	// StreamProcessor is deleted. KeepGroup: the offsets stay in the cluster, and a
	// StreamProcessor that you create again continues from them. DeleteGroup: the
	// operator deletes the group after the pods have ended. Set the field before
	// the deletion, not together with it.
	// +kubebuilder:default=KeepGroup
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// deployment holds labels and annotations for the Deployment that runs the
	// pods. Those for the pods are in template.
	// +optional
	Deployment Metadata `json:"deployment,omitzero"`

	// template changes the pods: resources, service account, further containers and
	// anything else that a pod may need.
	// +optional
	Template *PodTemplateSpec `json:"template,omitempty"`
}

// Ordering says which records may be processed at the same time.
//
// +kubebuilder:validation:Enum=Unordered;Key;Partition
type Ordering string

// The orderings.
const (
	Unordered Ordering = "Unordered"
	Key       Ordering = "Key"
	Partition Ordering = "Partition"
)

// LogLevel sets how much the pods log.
//
// +kubebuilder:validation:Enum=Info;Debug
type LogLevel string

// The log levels.
const (
	LogInfo  LogLevel = "Info"
	LogDebug LogLevel = "Debug"
)

// Delivery is the guarantee for each record.
//
// +kubebuilder:validation:Enum=AtLeastOnce;ExactlyOnce
type Delivery string

// The guarantees.
const (
	AtLeastOnce Delivery = "AtLeastOnce"
	ExactlyOnce Delivery = "ExactlyOnce"
)

// DeletionPolicy says what happens to the consumer group when its StreamProcessor is
// deleted.
//
// +kubebuilder:validation:Enum=KeepGroup;DeleteGroup
type DeletionPolicy string

// The deletion policies.
const (
	KeepGroup   DeletionPolicy = "KeepGroup"
	DeleteGroup DeletionPolicy = "DeleteGroup"
)
