package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TransactionSpec bounds the transactions of delivery ExactlyOnce. A pod has one open at
// a time, with the results, the dead letters and the offsets of the records that it has
// settled. It commits the transaction after the interval, and earlier when it has grown
// large, when partitions move to another pod, and when the pod stops.
//
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || ![self.interval, has(self.timeout) ? self.timeout : '10s'].all(d, d.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$')) || duration(self.interval) < duration(has(self.timeout) ? self.timeout : '10s')",fieldPath=".interval",message="transaction.interval must be below transaction.timeout, which is 10s unless it is set: lower the interval, or raise the timeout"
type TransactionSpec struct {
	// interval is the time after which a pod commits a transaction; from 10ms to
	// 1h. Readers with the isolation level read_committed see results that much
	// later. Short intervals cost more.
	// +kubebuilder:default="100ms"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('10ms') && duration(self) <= duration('1h')",message="must be a duration from 10ms to 1h, such as 100ms or 1s"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`

	// timeout bounds a transaction that can't be committed, for example during an
	// outage; from 1s to 1h. The pod then aborts it and processes its records
	// again; if the pod is gone, the cluster aborts it. Until then, readers with
	// read_committed get nothing that was written after it began. It must be above
	// the interval, and at most drainTimeout, and the brokers bound it by
	// transaction.max.timeout.ms. The default is 10s, or drainTimeout if that is
	// shorter.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="must be a duration from 1s to 1h, such as 10s or 1m30s"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}
