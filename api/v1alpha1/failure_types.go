package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FailureSpec says what happens to a record that can't be processed. An error,
// a panic or an overrun of the timeout is a failed attempt. A record that
// crashes the whole process is given up when it did so twice while it was tried
// alone, whatever maxAttempts is.
//
// +kubebuilder:validation:XValidation:rule="!has(self.onExhausted) || self.onExhausted != 'DeadLetter' || has(self.deadLetter)",fieldPath=".deadLetter",message="failure.onExhausted is DeadLetter: name the topic in failure.deadLetter.topic, or choose Halt or Drop"
type FailureSpec struct {
	// maxAttempts is how often a record is tried.
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

	// stallTimeout is how long a worker may get nowhere before it is restarted. It
	// gets nowhere when there is work and nothing is settled, although no attempt
	// runs, no record waits for its next attempt, and Kafka answers. From 1s to
	// 17520h. The default is twice the timeout, and at least 2m.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('17520h')",message="must be a duration from 1s to 17520h, such as 2m or 1h30m"
	// +optional
	StallTimeout *metav1.Duration `json:"stallTimeout,omitempty"`

	// onExhausted is what happens after the last attempt. DeadLetter: the
	// record is written to deadLetter.topic with where it came from and the
	// error in its headers. Drop: it is skipped and counted. Halt: the workers
	// stop with an error that names the record. The default is DeadLetter when
	// there is a deadLetter, and Halt otherwise.
	// +optional
	OnExhausted OnExhausted `json:"onExhausted,omitempty"`

	// deadLetter is the topic that exhausted records go to.
	// +optional
	DeadLetter *DeadLetterSpec `json:"deadLetter,omitempty"`
}

// BackoffSpec is the wait between attempts. It doubles from one to the next,
// and is spread at random so that records don't come back all at once.
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

	// max is what the wait does not grow beyond; from 1ms to 24h.
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('24h')",message="must be a duration from 1ms to 24h, such as 500ms or 1m30s"
	// +optional
	Max *metav1.Duration `json:"max,omitempty"`
}

// OnExhausted is what happens to a record after its last attempt.
//
// +kubebuilder:validation:Enum=DeadLetter;Drop;Halt
type OnExhausted string

// The policies.
const (
	DeadLetter OnExhausted = "DeadLetter"
	Drop       OnExhausted = "Drop"
	Halt       OnExhausted = "Halt"
)

// DeadLetterSpec is the topic that exhausted records go to.
type DeadLetterSpec struct {
	// topic is the topic's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]*$') && self != '.' && self != '..'",message="must be a name that Kafka allows: ASCII letters, digits, '.', '_' and '-' only, and neither '.' nor '..'"
	// +required
	Topic string `json:"topic"`

	// create makes the topic if it does not exist. An existing one is never
	// changed. Without the field the topic must exist.
	// +optional
	Create *CreateTopicSpec `json:"create,omitempty"`

	// onRefused is what happens to a record whose dead letter Kafka refuses for
	// good, even without the record's value, headers and key. Halt: its
	// partition is halted, and all others go on. Drop: the record is skipped
	// with an error in the log, and counted.
	// +kubebuilder:default=Halt
	// +optional
	OnRefused OnRefused `json:"onRefused,omitempty"`
}

// OnRefused is what happens to a record whose dead letter is refused.
//
// +kubebuilder:validation:Enum=Halt;Drop
type OnRefused string

// The values of OnRefused.
const (
	HaltPartition OnRefused = "Halt"
	DropRecord    OnRefused = "Drop"
)
