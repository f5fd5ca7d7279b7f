package plan

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// Observed is all that a plan depends on.
type Observed struct {
	// Now is when it was observed.
	Now time.Time
	// Processor has its defaults, and the status that was written last.
	Processor *v1alpha1.StreamProcessor
	// Deployment is nil while there is none.
	Deployment *appsv1.Deployment
	// TemplateChanged: the Deployment was just given another configuration of pods.
	TemplateChanged bool
	// ReplicaSets are those of the Deployment, in any order.
	ReplicaSets []metav1.ObjectMeta
	// Pods are those that bear the StreamProcessor's labels, in any order.
	Pods        []corev1.Pod
	Kafka       Kafka
	Credentials Credentials
	// Scaling is what autoscaling decided last; nil without it.
	Scaling *v1alpha1.ScaleDecision
	// GroupOwner is the other StreamProcessor of the namespace that holds the
	// consumer group; "" if there is none.
	GroupOwner string
	// GroupShared: one of another namespace runs with the group too, or one of this
	// namespace that did so before this one could know.
	GroupShared bool
	// BadExpressions is what is wrong with the built-in processor's expressions,
	// by field, line and column; nil if nothing is.
	BadExpressions error
	// Foreign are objects, as "Kind name", that bear a name of ours and are
	// someone else's.
	Foreign []string
	// Leaving are objects of an earlier StreamProcessor of the same name, which
	// are about to be collected.
	Leaving []string
	// NotPermitted is what the API server said when an object was refused for
	// its content, "" if it took them all.
	NotPermitted string
	// CPU is about autoscaling.vertical.
	CPU         CPU
	Environment Environment
}

// Environment is what the operator was told and found at its start.
type Environment struct {
	// WorkerImage runs the built-in processors.
	WorkerImage string
	// WorkerLogLevel is that of workers whose spec has none.
	WorkerLogLevel v1alpha1.LogLevel
	// NetworkPolicies and PodMonitors ask for one of each.
	NetworkPolicies, PodMonitors bool
	// PodMonitorLabels are on the PodMonitors too, for a Prometheus that selects by
	// labels.
	PodMonitorLabels map[string]string
	// HasPodMonitors: the cluster has the Prometheus operator's kind, so that there may
	// be some that are not wanted any more.
	HasPodMonitors bool
}

// Kafka is what is known of the topics and of the group.
type Kafka struct {
	// Trouble is why the last questions were not answered, nil if they were.
	Trouble *Trouble
	// Partitions of the input topic, as last known; 0 if they never were.
	Partitions int32
	// Source is where that number comes from; "" if it is 0.
	Source v1alpha1.PartitionsSource
	// Missing are topics that do not exist and that no worker creates; those of
	// the last good answer.
	Missing []string
	// MissingFor is how long that has been so.
	MissingFor time.Duration
	// Input is nil until the cluster has answered.
	Input *v1alpha1.InputStatus
	// Waiting says what keeps a pod from joining the group, "" if nothing is known.
	Waiting string
	// Stuck are the halted partitions and the records that hold a watermark.
	Stuck []v1alpha1.StuckPartition
	// Losses are the lost offsets that the status is to show, newest first.
	Losses []v1alpha1.PartitionLoss
	// Unknown are the partitions whose end no leader gives at the moment.
	Unknown []int32
	// Gone are the partitions whose committed offsets have expired or were deleted.
	Gone []int32
}

// Trouble is why Kafka does not answer.
type Trouble struct {
	// Refused: it was reached, and does not let us ask.
	Refused bool
	Message string
}

// Credentials is what was found of the Secrets and ConfigMaps that the spec refers
// to.
type Credentials struct {
	// Hash stands for the content of the keys.
	Hash string
	// Missing says for each object or key that is missing what is wanted where.
	Missing []string
}

// Held is how many pods there are to be already: a plan that knows too little
// to change their number keeps it.
func (o *Observed) Held() int32 {
	if o.Deployment == nil || o.Deployment.Spec.Replicas == nil {
		return 0
	}
	return *o.Deployment.Spec.Replicas
}

// ran is how many pods run, or ran before they were all stopped; 0 if there never
// was one.
func (o *Observed) ran() int32 { return resources.RanReplicas(o.Deployment) }
