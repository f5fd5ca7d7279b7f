package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FailureSpec says what happens to a record that can't be processed. An error, a panic or
// an overrun of the timeout is a failed attempt. The worker gives up a record that crashed
// the whole process twice while the worker tried it alone, whatever maxAttempts is.
//
// +kubebuilder:validation:XValidation:rule="!has(self.onExhausted) || self.onExhausted != 'DeadLetter' || has(self.deadLetter)",fieldPath=".deadLetter",message="failure.onExhausted is DeadLetter: name the topic in failure.deadLetter.topic, or choose Halt or Drop"
type FailureSpec struct {
	// maxAttempts is the number of attempts for each record.
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`

	// backoff is the wait between attempts.
	// +kubebuilder:default={}
	// +optional
	Backoff BackoffSpec `json:"backoff,omitzero"`

	// timeout bounds each attempt; from 1ms to 8760h.
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('8760h')",message="must be a duration from 1ms to 8760h, such as 500ms or 1m30s"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// stallTimeout is how long a worker may make no progress before it is
	// restarted. A worker makes no progress when there is work and nothing is
	// settled, although no attempt runs, no record waits for its next attempt, and
	// Kafka answers. From 1s to 17520h. The default is twice the timeout, and at
	// least 2m.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('17520h')",message="must be a duration from 1s to 17520h, such as 2m or 1h30m"
	// +optional
	StallTimeout *metav1.Duration `json:"stallTimeout,omitempty"`

	// onExhausted says what happens after the last attempt. DeadLetter: the worker
	// writes the record to deadLetter.topic, with its origin and the error in its
	// headers. Drop: the worker skips and counts the record. Halt: the workers stop
	// with an error that names the record. The default is DeadLetter if deadLetter
	// is set, and Halt otherwise.
	// +optional
	OnExhausted OnExhausted `json:"onExhausted,omitempty"`

	// deadLetter is the topic for exhausted records.
	// +optional
	DeadLetter *DeadLetterSpec `json:"deadLetter,omitempty"`
}

// BackoffSpec is the wait between attempts. It doubles from one attempt to the next,
// with some randomness so that records do not return all at once.
//
// +kubebuilder:validation:XValidation:rule="!has(self.initial) || !has(self.max) || ![self.initial, self.max].all(d, d.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$')) || duration(self.initial) <= duration(self.max)",fieldPath=".max",message="failure.backoff.max must not be below failure.backoff.initial: raise it, or lower the initial wait"
type BackoffSpec struct {
	// initial is the wait before the second attempt; from 1ms to 1h.
	// +kubebuilder:default="100ms"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('1h')",message="must be a duration from 1ms to 1h, such as 500ms or 1m30s"
	// +optional
	Initial *metav1.Duration `json:"initial,omitempty"`

	// max is the longest wait; from 1ms to 24h.
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('24h')",message="must be a duration from 1ms to 24h, such as 500ms or 1m30s"
	// +optional
	Max *metav1.Duration `json:"max,omitempty"`
}

// OnExhausted says what happens to a record after its last attempt.
//
// +kubebuilder:validation:Enum=DeadLetter;Drop;Halt
type OnExhausted string

// The policies.
const (
	DeadLetter OnExhausted = "DeadLetter"
	Drop       OnExhausted = "Drop"
	Halt       OnExhausted = "Halt"
)

// DeadLetterSpec defines the topic for exhausted records.
type DeadLetterSpec struct {
	// topic is the topic's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]*$') && self != '.' && self != '..'",message="must be a name that Kafka allows: ASCII letters, digits, '.', '_' and '-' only, and neither '.' nor '..'"
	// +required
	Topic string `json:"topic"`

	// create lets the worker create the topic if it does not exist. The worker
	// never changes an existing topic. Without the field the topic must exist.
	// +optional
	Create *CreateTopicSpec `json:"create,omitempty"`

	// onRefused says what happens to a record whose dead letter Kafka refuses for
	// good, even without the record's value, headers and key. Halt: the worker
	// halts the record's partition and continues with all others. Drop: the worker
	// skips and counts the record, and logs an error.
	// +kubebuilder:default=Halt
	// +optional
	OnRefused OnRefused `json:"onRefused,omitempty"`
}

// OnRefused says what happens to a record whose dead letter Kafka refuses.
//
// +kubebuilder:validation:Enum=Halt;Drop
type OnRefused string

// The values of OnRefused.
const (
	HaltPartition OnRefused = "Halt"
	DropRecord    OnRefused = "Drop"
)
