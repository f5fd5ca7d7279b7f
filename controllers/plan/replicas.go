package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/scaling"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Replicas is how many pods are to run, and why.
type Replicas struct {
	// Wanted is what was asked for, Count what it comes to.
	Wanted, Count int32
	// Capped: Count is the number of partitions, and more are wanted: Wanted, or
	// where Open is set nobody knows how many.
	Capped, Open bool
	// Why is for the event that tells of a change.
	Why string
}

// missingGrace is how long a topic has to be missing before running pods are
// stopped for it: a broker that has just started may not know all topics.
const missingGrace = time.Minute

// replicas never takes a pod away because something is not known.
func (o *Observed) replicas() Replicas {
	sp := o.Processor
	switch {
	case sp.DeletionTimestamp != nil:
		return Replicas{Why: "it is being deleted"}
	case sp.Spec.Suspend:
		return Replicas{Why: "spec.suspend is set"}
	case o.GroupOwner != "":
		return Replicas{Count: o.Held(), Why: "the consumer group is that of " + o.GroupOwner}
	case len(o.Kafka.Missing) > 0 && (o.Held() == 0 || o.Kafka.MissingFor >= missingGrace):
		return Replicas{Why: "missing in the cluster: " + strings.Join(o.Kafka.Missing, ", ")}
	case len(o.Kafka.Missing) > 0, o.Kafka.Partitions == 0, o.wasMissing():
		return Replicas{Count: o.Held(), Why: "too little is known of the topics"}
	}
	wanted, why := o.wanted()
	r := Replicas{Wanted: wanted, Count: min(wanted, o.Kafka.Partitions), Why: why}
	if r.Capped = r.Count < r.Wanted; r.Capped {
		r.Why = fmt.Sprintf("%s; topic %q has %d partitions", why, sp.Spec.Input.Topic, o.Kafka.Partitions)
	}
	if o.atPartitions() {
		r.Capped, r.Open = true, true
	}
	return r
}

// wasMissing reports whether a topic was missing when Kafka answered last, which is
// before this operator's start.
func (o *Observed) wasMissing() bool {
	last := o.last(status.Ready)
	return o.unanswered() && last != nil && last.Reason == status.TopicNotFound
}

// atPartitions reports whether autoscaling would run more pods if there were more
// partitions. An operator that starts again has to watch the offsets for a while to
// know, and until then goes by the status.
func (o *Observed) atPartitions() bool {
	if !o.scalesItself() {
		return false
	}
	if unknown := []string{string(scaling.TooLittleKnown), string(scaling.KafkaUnreachable)}; slices.Contains(unknown, o.Scaling.Reason) {
		return o.last(status.PartitionCapped) != nil && o.Scaling.To == o.Kafka.Partitions && o.Scaling.To < o.Processor.Spec.Autoscaling.MaxReplicas
	}
	return o.Scaling.Reason == string(scaling.AtCap) &&
		o.Scaling.Cap == o.Kafka.Partitions && o.Scaling.Cap < o.Processor.Spec.Autoscaling.MaxReplicas
}

func (o *Observed) wanted() (count int32, why string) {
	spec := &o.Processor.Spec
	if o.scalesItself() {
		return o.Scaling.To, fmt.Sprintf("autoscaling: %s", o.Scaling.Reason)
	}
	switch {
	case spec.Replicas != nil:
		return *spec.Replicas, fmt.Sprintf("spec.replicas is %d", *spec.Replicas)
	case o.ran() > 0:
		return o.ran(), "spec.replicas is absent, which keeps the number of pods"
	}
	return 1, "spec.replicas is absent, and no pod has run yet"
}

// scalesItself reports whether autoscaling chooses the number of pods.
func (o *Observed) scalesItself() bool {
	a := o.Processor.Spec.Autoscaling
	return a != nil && a.Mode != v1alpha1.RecommendOnly && o.Scaling != nil
}
