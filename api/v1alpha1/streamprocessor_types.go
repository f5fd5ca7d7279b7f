package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StreamProcessor reads a Kafka topic, runs a processor on every record in
// parallel, writes the results to another topic, and commits offsets only when
// the results are safe.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=sp,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.status.replicas`
// +kubebuilder:printcolumn:name="Partitions",type=integer,JSONPath=`.status.input.partitions`
// +kubebuilder:printcolumn:name="Lag",type=integer,JSONPath=`.status.input.lag`
// +kubebuilder:printcolumn:name="LagSeconds",type=integer,JSONPath=`.status.input.lagSeconds`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must have at most 63 characters: it becomes the value of labels"
type StreamProcessor struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec StreamProcessorSpec `json:"spec"`
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

// StreamProcessorSpec says what to read, what to do with it, and where the
// results go.
//
// +kubebuilder:validation:XValidation:rule="self.input.topic != self.output.topic",fieldPath=".output.topic",message="output.topic must not be the input topic: what is written would be read again for ever"
// +kubebuilder:validation:XValidation:rule="!has(self.failure.deadLetter) || self.failure.deadLetter.topic != self.input.topic",fieldPath=".failure.deadLetter.topic",message="failure.deadLetter.topic must not be the input topic: what is written would be read again for ever"
// +kubebuilder:validation:XValidation:rule="!has(self.failure.deadLetter) || self.failure.deadLetter.topic != self.output.topic",fieldPath=".failure.deadLetter.topic",message="failure.deadLetter.topic must not be the output topic: whoever reads the results would take dead letters for results"
// +kubebuilder:validation:XValidation:rule="oldSelf.suspend || self.input.topic == oldSelf.input.topic",fieldPath=".input.topic",message="input.topic can be changed only while suspend is true: suspend the StreamProcessor first"
// +kubebuilder:validation:XValidation:rule="oldSelf.suspend || self.input.groupId == oldSelf.input.groupId",fieldPath=".input.groupId",message="input.groupId can be changed only while suspend is true, and starts from the new group's offsets: suspend the StreamProcessor first"
type StreamProcessorSpec struct {
	// kafka says how to reach the cluster.
	// +required
	Kafka KafkaSpec `json:"kafka"`

	// input is the topic that is read.
	// +required
	Input InputSpec `json:"input"`

	// output is the topic that results go to.
	// +required
	Output OutputSpec `json:"output"`

	// processor is what is done with each record: exactly one of cel and image.
	// +required
	Processor ProcessorSpec `json:"processor"`

	// ordering says which records may be processed at the same time.
	// Unordered: any. Key: those of one partition that have the same key run
	// one after another, and their results keep their order. Partition: the
	// same for all records of a partition.
	// +kubebuilder:default=Unordered
	// +optional
	Ordering Ordering `json:"ordering,omitempty"`

	// delivery is the guarantee. AtLeastOnce: no record is lost; after a crash
	// some are processed again. ExactlyOnce is not available yet: a worker
	// refuses it.
	// +kubebuilder:default=AtLeastOnce
	// +optional
	Delivery Delivery `json:"delivery,omitempty"`

	// concurrency is the number of records that one pod processes at the same
	// time. 0 is the container's CPU limit, which is right for work that keeps
	// a CPU busy; choose more for work that waits.
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Concurrency int32 `json:"concurrency,omitempty"`

	// inFlight bounds what one pod has read and not settled yet, and so its
	// memory.
	// +kubebuilder:default={}
	// +optional
	InFlight InFlightSpec `json:"inFlight,omitzero"`

	// failure says what happens to a record that can't be processed.
	// +kubebuilder:default={}
	// +optional
	Failure FailureSpec `json:"failure,omitzero"`

	// replicas is the number of pods. More than the input topic has partitions
	// are not started, as they would have nothing to do. With autoscaling it is
	// left alone.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`

	// autoscaling chooses the number of pods from the lag. Without it, replicas
	// does.
	// +optional
	Autoscaling *AutoscalingSpec `json:"autoscaling,omitempty"`

	// drainTimeout bounds how long a pod that stops, or gives partitions up,
	// waits for what is in flight; from 1s to 1h. What is not settled by then
	// is processed again by the next owner.
	// +kubebuilder:default="20s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="must be a duration from 1s to 1h"
	// +optional
	DrainTimeout *metav1.Duration `json:"drainTimeout,omitempty"`

	// suspend stops all pods, after they have drained. Offsets stay committed,
	// so processing goes on where it was.
	// +kubebuilder:default=false
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// template adds to the pods what they need beside the processor.
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

// Delivery is the guarantee that is given for each record.
//
// +kubebuilder:validation:Enum=AtLeastOnce;ExactlyOnce
type Delivery string

// The guarantees.
const (
	AtLeastOnce Delivery = "AtLeastOnce"
	ExactlyOnce Delivery = "ExactlyOnce"
)
