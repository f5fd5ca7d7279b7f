package plan

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Conditions returns the conditions, and the time after which they may change by time
// alone; 0 for never. The reconciler calls it after it has applied the plan: o holds
// the API server's answers and is newer than the observation that the plan is from.
func (p *Plan) Conditions(o Observed) (conditions []status.Condition, again time.Duration) {
	judge := judge{&o, p}
	state, again := judge.standing().conditions(&o)
	failing, left := o.processorFailing()
	return append(withHeld(state, p.rolloutHeld(&o)),
		o.kafkaReachable(), p.capped(&o), o.Kafka.stuckPartition(), failing, o.Kafka.recordsLost(),
		o.offsetsGone(), o.groupShared(), o.suspended(), o.resizePending(p)), sooner(again, left)
}

// sooner returns the shorter of two times; 0 stands for never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func (o *Observed) kafkaReachable() status.Condition {
	topic := o.Processor.Spec.Input.Topic
	switch t := o.Kafka.Trouble; {
	case t != nil && t.Refused:
		return status.False(status.KafkaReachable, status.NotAuthorized, t.Message+o.Kafka.partitionsKnown(topic))
	case t != nil:
		return status.False(status.KafkaReachable, status.Unreachable, t.Message+o.Kafka.partitionsKnown(topic))
	case o.Kafka.notAsked():
		// An operator that has just started or taken over knows only the status.
		if last := o.last(status.KafkaReachable); last != nil {
			return status.Condition{Type: last.Type, Status: last.Status, Reason: last.Reason, Message: last.Message}
		}
		return status.Unknown(status.KafkaReachable, status.NotAskedYet, "the operator has not asked the cluster yet")
	}
	return status.True(status.KafkaReachable, status.Reachable, o.Kafka.answers(topic))
}

func (p *Plan) capped(o *Observed) status.Condition {
	if !p.Replicas.Capped {
		return status.False(status.PartitionCapped, status.MoreThanPartitions, "")
	}
	wanted := count(p.Replicas.Wanted, "replica")
	if p.Replicas.Open {
		wanted = "more replicas"
	}
	return status.True(status.PartitionCapped, status.MoreThanPartitions, fmt.Sprintf(
		"%s are asked for, but topic %q has %s, each read by one pod, so %d run; add partitions to the topic to run more",
		wanted, o.Processor.Spec.Input.Topic, count(o.Kafka.Partitions, "partition"), p.Replicas.Count))
}

func (o *Observed) offsetsGone() status.Condition {
	if last := meta.FindStatusCondition(o.Processor.Status.Conditions, status.OffsetsGone); last != nil && !o.Kafka.answered() {
		// An operator that has just started knows only the status.
		return status.Condition{Type: last.Type, Status: last.Status, Reason: last.Reason, Message: last.Message}
	}
	if len(o.Kafka.Gone) == 0 {
		return status.False(status.OffsetsGone, status.ExpiredOrDeleted, "")
	}
	in := &o.Processor.Spec.Input
	return status.True(status.OffsetsGone, status.ExpiredOrDeleted, fmt.Sprintf(
		"consumer group %q has lost its committed offsets for %s of topic %q: they expired (the brokers' offsets.retention.minutes) "+
			"or were deleted; unless you set them, workers start there by spec.input.startOffset: %s",
		resources.GroupID(o.Processor), partitionList(o.Kafka.Gone), in.Topic, in.StartOffset))
}

// groupShared is a warning only, and names nobody: a namespace must neither stop the
// pods of another nor learn which StreamProcessors it has.
func (o *Observed) groupShared() status.Condition {
	if !o.GroupShared {
		return status.False(status.GroupShared, status.UsedTwice, "")
	}
	return status.True(status.GroupShared, status.UsedTwice, fmt.Sprintf(
		"another StreamProcessor, perhaps of another namespace, runs with consumer group %q on the same cluster, so each of the two reads only some of the partitions: set another spec.input.groupId for one of them",
		resources.GroupID(o.Processor)))
}

func (o *Observed) suspended() status.Condition {
	if !o.Processor.Spec.Suspend {
		return status.False(status.Suspended, status.SuspendedBySpec, "")
	}
	return status.True(status.Suspended, status.SuspendedBySpec, "spec.suspend is set")
}

func count[T int | int32](n T, noun string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
