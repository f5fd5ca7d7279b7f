package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Replicas is the number of pods to run, with the reason for it.
type Replicas struct {
	// Wanted is the number that the spec or autoscaling asks for, Count the number that
	// runs.
	Wanted, Count int32
	// Capped: Count is the number of partitions, and more pods are asked for: Wanted,
	// or an unknown number if Open is set.
	Capped, Open bool
	// Why is the reason that the event about a change gives.
	Why string
}

// missingGrace is the time for which a topic has to be missing before the operator
// stops running pods: a broker that has just started may not know all topics.
const missingGrace = time.Minute

// replicas never takes a pod away because of missing knowledge.
func (o *Observed) replicas() Replicas {
	sp := o.Processor
	switch {
	case sp.DeletionTimestamp != nil:
		return Replicas{Why: "it is being deleted"}
	case sp.Spec.Suspend:
		return Replicas{Why: "spec.suspend is set"}
	case o.GroupOwner != "":
		return Replicas{Count: o.Held(), Why: "StreamProcessor " + o.GroupOwner + " holds the consumer group"}
	case len(o.Kafka.Missing) > 0 && (o.Held() == 0 || o.Kafka.MissingFor >= missingGrace):
		return Replicas{Why: "missing in the cluster: " + strings.Join(o.Kafka.Missing, ", ")}
	case len(o.Kafka.Missing) > 0, o.Kafka.Partitions == 0, o.topicWasMissing():
		return Replicas{Count: o.Held(), Why: "the operator knows too little about the topics"}
	}
	wanted, why := o.wantedReplicas()
	r := Replicas{Wanted: wanted, Count: min(wanted, o.Kafka.Partitions), Why: why}
	if r.Capped = r.Count < r.Wanted; r.Capped {
		r.Why = fmt.Sprintf("%s; topic %q has %d partitions", why, sp.Spec.Input.Topic, o.Kafka.Partitions)
	}
	if o.scaledToPartitions() {
		r.Capped, r.Open = true, true
	}
	return r
}

// topicWasMissing reports whether a topic was missing in Kafka's last answer, which an
// earlier operator got.
func (o *Observed) topicWasMissing() bool {
	last := o.last(status.Ready)
	return !o.Kafka.answered() && last != nil && last.Reason == status.TopicNotFound
}

// scaledToPartitions reports whether autoscaling would run more pods if there were
// more partitions. An operator that has just started has to watch the offsets for a
// while to know, and goes by the status until then.
func (o *Observed) scaledToPartitions() bool {
	if !o.scalesItself() {
		return false
	}
	if unknown := []string{string(scaling.TooLittleKnown), string(scaling.KafkaUnreachable)}; slices.Contains(unknown, o.Scaling.Reason) {
		return o.last(status.PartitionCapped) != nil && o.Scaling.To == o.Kafka.Partitions && o.Scaling.To < o.Processor.Spec.Autoscaling.MaxReplicas
	}
	return o.Scaling.Reason == string(scaling.AtCap) &&
		o.Scaling.Cap == o.Kafka.Partitions && o.Scaling.Cap < o.Processor.Spec.Autoscaling.MaxReplicas
}

func (o *Observed) wantedReplicas() (count int32, why string) {
	spec := &o.Processor.Spec
	if o.scalesItself() {
		return o.Scaling.To, fmt.Sprintf("autoscaling: %s", o.Scaling.Reason)
	}
	switch {
	case spec.Replicas != nil:
		return *spec.Replicas, fmt.Sprintf("spec.replicas is %d", *spec.Replicas)
	case o.lastRan() > 0:
		return o.lastRan(), "spec.replicas is absent, which keeps the number of pods"
	}
	return 1, "spec.replicas is absent, and no pod has run yet"
}
