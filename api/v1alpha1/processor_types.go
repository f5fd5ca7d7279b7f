package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ProcessorSpec defines the processing of each record.
//
// +kubebuilder:validation:XValidation:rule="[has(self.cel), has(self.container), has(self.sidecar)].exists_one(set, set)",message="processor must have exactly one of its fields: cel for expressions, container for a program on the Go SDK, or sidecar for a program in another language"
type ProcessorSpec struct {
	// cel evaluates expressions on each record; {} copies it.
	// +optional
	CEL *CELSpec `json:"cel,omitempty"`

	// container runs a program built with the Go SDK.
	// +optional
	Container *ContainerSpec `json:"container,omitempty"`

	// sidecar runs a program in any language beside the worker, which hands it batches
	// of records.
	// +optional
	Sidecar *SidecarSpec `json:"sidecar,omitempty"`
}

// CELSpec holds expressions in the Common Expression Language. An absent expression
// keeps that part of the record.
//
// Expressions may use value and key (text or null), headers (a map from name to a list
// of texts or nulls), topic, partition, offset, timestamp, and json (the parsed value).
// A result that is bytes or a string is written unchanged, null stays null, and
// anything else is written as JSON. If an expression fails on a record, the attempt has
// failed. Changed expressions reach running pods without a restart.
//
// +kubebuilder:validation:XValidation:rule="!has(self.value) || !has(self.values)",message="value and values are both set: value is the value of one result, and values a list of them; remove one",fieldPath=".values"
type CELSpec struct {
	// filter decides whether the record goes on: true keeps it, false drops it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Filter string `json:"filter,omitempty"`

	// key is the result's key; null is the null key.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Key string `json:"key,omitempty"`

	// value is the result's value; null is a tombstone.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Value string `json:"value,omitempty"`

	// values is a list with the values of the results: each element becomes a record, in
	// the list's order. An empty list drops the record. key, topic and headers are
	// evaluated for each element, with the variables element and index (from 0);
	// without key, the results have the record's. A record may have up to 10000
	// results, of 64Mi together.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Values string `json:"values,omitempty"`

	// headers sets headers of the result, each by an expression. They replace the
	// record's headers of the same name; the others stay.
	// +kubebuilder:validation:MaxProperties=100
	// +kubebuilder:validation:XValidation:rule="self.all(name, size(self[name]) > 0)",message="each header needs an expression: write one, such as '\"text\"', or remove the header"
	// +kubebuilder:validation:XValidation:rule="self.map(name, size(name) + size(self[name])).sum() <= 262144",message="the headers' names and expressions must have at most 262144 characters together"
	// +optional
	Headers map[string]string `json:"headers,omitempty"`

	// topic is the topic for the result, instead of output.topic. The topic must
	// exist.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Topic string `json:"topic,omitempty"`

	// image is the worker image that evaluates the expressions. The default is the
	// --worker-image of the operator, which changes when the operator is upgraded.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]+)?/)?[a-z0-9]+([-._/]+[a-z0-9]+)*(:[a-zA-Z0-9_][-a-zA-Z0-9_.]{0,127})?(@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128})?$')",message="must be a container image, such as registry/name:tag or registry/name@sha256:digest"
	// +optional
	Image string `json:"image,omitempty"`
}

// ContainerSpec is a program built with the Go SDK. Its main function calls
// worker.Main, which reads the configuration that the operator mounts at
// /etc/millrace/worker.yaml.
type ContainerSpec struct {
	// image is the container image.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]+)?/)?[a-z0-9]+([-._/]+[a-z0-9]+)*(:[a-zA-Z0-9_][-a-zA-Z0-9_.]{0,127})?(@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128})?$')",message="must be a container image, such as registry/name:tag or registry/name@sha256:digest"
	// +required
	Image string `json:"image"`

	// command is the program with its first arguments. The default is the image's
	// entry point.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=65536
	// +optional
	Command []string `json:"command,omitempty"`

	// args are further arguments of the program. The default is the image's
	// command, or nothing if command is set.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=65536
	// +optional
	Args []string `json:"args,omitempty"`

	// imagePullPolicy says when to fetch the image. The default is that of
	// Kubernetes: Always for the tag latest, IfNotPresent for others.
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
}

// SidecarSpec is a program that processes records in a container beside the worker's. It
// speaks the protocol for processors in other processes, as the SDKs of other languages do,
// or has an adapter for it. The container is named processor; template.spec.initContainers may
// change it further, for example with volumes.
//
// +kubebuilder:validation:XValidation:rule="!has(self.adapter) || has(self.command) && size(self.command) > 0",message="an adapter starts the program itself, and does not know the image's entry point: set command",fieldPath=".command"
type SidecarSpec struct {
	// image is the container image.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]+)?/)?[a-z0-9]+([-._/]+[a-z0-9]+)*(:[a-zA-Z0-9_][-a-zA-Z0-9_.]{0,127})?(@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128})?$')",message="must be a container image, such as registry/name:tag or registry/name@sha256:digest"
	// +required
	Image string `json:"image"`

	// command is the program with its first arguments. The default is the image's
	// entry point.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=65536
	// +optional
	Command []string `json:"command,omitempty"`

	// args are further arguments of the program. The default is the image's
	// command, or nothing if command is set.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=65536
	// +optional
	Args []string `json:"args,omitempty"`

	// imagePullPolicy says when to fetch the image. The default is that of
	// Kubernetes: Always for the tag latest, IfNotPresent for others.
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// adapter is for a program that does not speak the protocol. With lines, the program
	// gets each record as a line of JSON on its standard input, and answers each line with
	// one on its standard output. Nothing has to be in the image for that.
	// +optional
	Adapter SidecarAdapter `json:"adapter,omitempty"`

	// processes is the number of processes that the program runs in each pod. The
	// default is the CPU limit of the container, rounded up, or 1 without a limit.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	// +optional
	Processes *int32 `json:"processes,omitempty"`

	// batch bounds the batches of records. The program chooses the limits that are absent.
	// +optional
	Batch *SidecarBatchSpec `json:"batch,omitempty"`

	// env sets environment variables of the program. A variable of the same name in
	// template.spec.initContainers takes its place.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(variable, !variable.name.startsWith('MILLRACE_'))",message="variables that begin with MILLRACE_ are the operator's own: choose another name"
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`

	// resources are the container's requests and limits of CPU, memory and others. The
	// default is a small request without a limit. Those in template.spec.initContainers win,
	// each for itself.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`

	// ports are those on which the program listens, for example for its own metrics. A port
	// of the same number in template.spec.initContainers takes its place.
	// +listType=map
	// +listMapKey=containerPort
	// +listMapKey=protocol
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(port, port.containerPort != 8080 && (!has(port.name) || port.name != 'metrics'))",message="port 8080 and the name metrics are the worker's: choose others"
	// +kubebuilder:validation:XValidation:rule="self.all(port, port.containerPort >= 1 && port.containerPort <= 65535)",message="containerPort must be from 1 to 65535"
	// +kubebuilder:validation:XValidation:rule="self.all(port, !has(port.name) || port.name.matches('^[a-z0-9]+(-[a-z0-9]+)*$') && port.name.matches('[a-z]'))",message="a port's name must have lower-case letters, digits and single hyphens, with a letter at least, such as http"
	// +kubebuilder:validation:XValidation:rule="self.all(port, !has(port.name) || self.exists_one(other, has(other.name) && other.name == port.name))",message="two ports have the same name: give each another one"
	// +optional
	Ports []corev1.ContainerPort `json:"ports,omitempty"`
}

// SidecarAdapter says how a program that does not speak the protocol gets its records.
//
// +kubebuilder:validation:Enum=lines
type SidecarAdapter string

// LinesAdapter is the adapter for lines of JSON.
const LinesAdapter SidecarAdapter = "lines"

// SidecarBatchSpec says when a batch of records is large enough, or has waited for long
// enough. With the orderings Key and Partition the records that are in flight bound it too.
type SidecarBatchSpec struct {
	// maxRecords is the highest number of records in a batch.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	MaxRecords *int32 `json:"maxRecords,omitempty"`

	// maxBytes bounds the keys, values and headers in a batch of several records. From
	// 1Ki to 1Gi.
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]+([eE][0-9]{1,2})?$|^[0-9]+([.](125|25|375|5|625|75|875))?[KMGT]i$|^[0-9]+([.][0-9]{1,3})?[kMGT]$') && quantity(string(self)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self)).compareTo(quantity('1Gi')) <= 0",message="must be a whole number of bytes from 1Ki to 1Gi, alone or with a unit, such as 4Mi"
	// +optional
	MaxBytes *resource.Quantity `json:"maxBytes,omitempty"`

	// linger is how long records wait for others to fill a batch. From 1ms to 10s.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('10s')",message="must be a duration from 1ms to 10s, such as 20ms"
	// +optional
	Linger *metav1.Duration `json:"linger,omitempty"`
}

// InFlightSpec bounds the records that one pod has read and not settled yet.
type InFlightSpec struct {
	// records is the highest number of records in flight.
	// +kubebuilder:default=10000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000000
	// +optional
	Records *int32 `json:"records,omitempty"`

	// bytes bounds the keys, values and headers in flight. It also bounds all the
	// memory that the input takes: fetched ahead, unpacked and in flight. From 1Mi
	// to 1Ti. A partition with nothing in flight may take one log batch on top. A
	// compressed log batch that holds more than this, and more than 16Mi, halts its
	// partition.
	// +kubebuilder:default="64Mi"
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]+([eE][0-9]{1,2})?$|^[0-9]+([.](125|25|375|5|625|75|875))?[KMGT]i$|^[0-9]+([.][0-9]{1,3})?[kMGT]$') && quantity(string(self)).compareTo(quantity('1Mi')) >= 0 && quantity(string(self)).compareTo(quantity('1Ti')) <= 0",message="must be a whole number of bytes from 1Mi to 1Ti, alone or with a unit, such as 64Mi"
	// +optional
	Bytes *resource.Quantity `json:"bytes,omitempty"`
}
