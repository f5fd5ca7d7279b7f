package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// Observed is everything that a plan depends on.
type Observed struct {
	// Now is the time of the observation.
	Now time.Time
	// Processor has its defaults, and the status that was written last.
	Processor *v1alpha1.StreamProcessor
	Workload
	Kafka       Kafka
	Credentials Credentials
	// Scaling is the last decision of autoscaling; nil without autoscaling.
	Scaling *v1alpha1.ScaleDecision
	// GroupOwner is the other StreamProcessor of the namespace that holds the
	// consumer group; "" if there is none.
	GroupOwner string
	// GroupShared: a StreamProcessor of another namespace runs with the group too, or
	// one of this namespace that started before this one could know.
	GroupShared bool
	// BadExpressions are the mistakes in the built-in processor's expressions, by
	// field, line and column; nil if there are none.
	BadExpressions error
	// Foreign are objects, as "Kind name", that have a name of ours and belong to
	// someone else.
	Foreign []string
	// Leaving are objects of an earlier StreamProcessor with the same name. The
	// garbage collector is about to delete them.
	Leaving []string
	// NotPermitted is the API server's message when it refused an object for its
	// content; "" if it refused none.
	NotPermitted string
	Expressions  Expressions
	// Failures are those of the processes beside the workers, by pod.
	Failures Failures
	// CPU serves autoscaling.vertical.
	CPU         CPU
	Environment Environment
}

// Environment is the part of an observation that the operator learns at its start,
// from its flags and from the cluster.
type Environment struct {
	// WorkerImage runs the built-in processors.
	WorkerImage string
	// WorkerLogLevel applies to workers whose spec sets none.
	WorkerLogLevel v1alpha1.LogLevel
	// NetworkPolicies and PodMonitors ask for one of each.
	NetworkPolicies, PodMonitors bool
	// PodMonitorLabels are added to the PodMonitors, for a Prometheus that selects by
	// labels.
	PodMonitorLabels map[string]string
	// HasPodMonitors: the cluster has the Prometheus operator's kind, so PodMonitors
	// of ours may exist even if PodMonitors is false.
	HasPodMonitors bool
}

// Credentials describes the Secrets and ConfigMaps that the spec refers to.
type Credentials struct {
	// Hash stands for the content of the keys.
	Hash string
	// Missing has a line for each object or key that is missing: the field that refers
	// to it, and its name.
	Missing []string
}

// last returns a condition as the status has it; nil if it has none, or one of an
// earlier generation: a change of the spec is an answer to what the status said.
func (o *Observed) last(kind string) *metav1.Condition {
	c := meta.FindStatusCondition(o.Processor.Status.Conditions, kind)
	if c == nil || c.ObservedGeneration != o.Processor.Generation {
		return nil
	}
	return c
}

// scalesItself reports whether autoscaling chooses the number of pods.
func (o *Observed) scalesItself() bool {
	a := o.Processor.Spec.Autoscaling
	return a != nil && a.Mode != v1alpha1.RecommendOnly && o.Scaling != nil
}
