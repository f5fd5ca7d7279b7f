package plan

import (
	"fmt"
	"strings"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Conditions puts into words how it stands. They are made after the plan was
// carried out, of what the API server has answered: o is then newer than the
// one that the plan was made of.
func (p *Plan) Conditions(o Observed) []status.Condition {
	return append(o.state(p), o.kafkaReachable(), p.capped(&o), o.stuckPartition(), o.recordsLost(), o.offsetsGone(), o.suspended())
}

// state is Ready, with Reconciling and Stalled, which go with it. The first
// that applies is what a user has to see to first.
func (o *Observed) state(p *Plan) []status.Condition {
	switch blocked := o.blocked(p); {
	case o.Processor.DeletionTimestamp != nil:
		return progressing(status.Deleting, o.deleting())
	case blocked != nil:
		return blocked
	case o.Processor.Spec.Suspend:
		return o.stopped(status.NothingRuns, o.suspendedMessage())
	case len(o.Kafka.Missing) > 0:
		return stalled(status.TopicNotFound, o.missingTopics())
	case o.Kafka.Trouble != nil && o.Kafka.Trouble.Refused:
		return stalled(status.NotAuthorized, o.Kafka.Trouble.Message)
	case o.Kafka.Trouble != nil:
		return progressing(status.Unreachable, o.Kafka.Trouble.Message)
	case o.Kafka.Partitions == 0:
		return progressing(status.WaitingForKafka, "waiting for the cluster's first answer about the topics")
	}
	return o.running(p)
}

// blocked is what nothing can be done about here.
func (o *Observed) blocked(p *Plan) []status.Condition {
	switch {
	case p.Invalid != nil:
		return stalled(status.InvalidSpec, "a worker would not run with it: "+p.Invalid.Error())
	case len(o.Foreign) > 0:
		return stalled(status.NameConflict, fmt.Sprintf("not made by this StreamProcessor, and left alone: %s: delete or rename it, or give the StreamProcessor another name",
			strings.Join(o.Foreign, ", ")))
	case len(o.Leaving) > 0:
		return progressing(status.Draining, "waiting for the objects of an earlier StreamProcessor of this name to be gone: "+strings.Join(o.Leaving, ", "))
	case len(o.Secrets.Missing) > 0:
		return stalled(status.SecretNotFound, strings.Join(o.Secrets.Missing, "; "))
	case o.GroupOwner != "":
		return stalled(status.GroupConflict, fmt.Sprintf("consumer group %q is used by the older StreamProcessor %s on the same cluster; together they would split the topic between them: set another spec.input.groupId",
			resources.GroupID(o.Processor), o.GroupOwner))
	case o.NotPermitted != "":
		return stalled(status.Refused, "the API server refuses it: "+o.NotPermitted)
	}
	return nil
}

// running judges the pods.
func (o *Observed) running(p *Plan) []status.Condition {
	if p.Replicas.Count == 0 {
		return o.stopped(status.ScaledToZero, "scaled to zero: "+p.Replicas.Why)
	}
	d := o.Deployment
	want := p.Replicas.Count
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return progressing(status.RolloutInProgress, count(want, "pod")+" asked for")
	}
	if trouble := failing(o.Pods); trouble != "" {
		return stalled(status.PodsFailing, trouble)
	}
	switch s := d.Status; {
	case s.UpdatedReplicas < want || s.Replicas > s.UpdatedReplicas:
		return progressing(status.RolloutInProgress, fmt.Sprintf("%d of %d pods have the present configuration", s.UpdatedReplicas, want))
	case s.ReadyReplicas < want:
		return progressing(status.PodsNotReady, fmt.Sprintf("%d of %d pods are members of the consumer group", s.ReadyReplicas, want))
	}
	return []status.Condition{status.True(status.Ready, status.Running,
		fmt.Sprintf("%s of consumer group %q read %s", count(want, "member"), resources.GroupID(o.Processor), count(o.Kafka.Partitions, "partition")))}
}

// stopped is how it stands when no pod is wanted.
func (o *Observed) stopped(reason, message string) []status.Condition {
	left := len(o.Pods)
	if o.Deployment != nil {
		left = max(left, int(o.Deployment.Status.Replicas))
	}
	if left > 0 {
		return progressing(status.Draining, fmt.Sprintf("waiting for %s to finish and commit what was begun", count(left, "pod")))
	}
	return []status.Condition{status.True(status.Ready, reason, message)}
}

func (o *Observed) missingTopics() string {
	topics := strings.Join(o.Kafka.Missing, ", ")
	if o.Held() > 0 {
		return fmt.Sprintf("no longer in the cluster: topic %s; the pods are stopped when it stays so", topics)
	}
	return fmt.Sprintf("not in the cluster: topic %s: create it, or correct its name; an output or dead-letter topic is created for you if it has a create field", topics)
}

func (o *Observed) deleting() string {
	if o.Processor.Spec.DeletionPolicy != v1alpha1.DeleteGroup {
		return "its objects are being deleted"
	}
	message := fmt.Sprintf("consumer group %q is deleted when the last pod is gone", resources.GroupID(o.Processor))
	if o.Kafka.Trouble != nil {
		message += "; it can't be yet: " + o.Kafka.Trouble.Message + "; set spec.deletionPolicy to KeepGroup to do without"
	}
	return message
}

func (o *Observed) kafkaReachable() status.Condition {
	switch t := o.Kafka.Trouble; {
	case t != nil && t.Refused:
		return status.False(status.KafkaReachable, status.NotAuthorized, t.Message)
	case t != nil:
		return status.False(status.KafkaReachable, status.Unreachable, t.Message)
	case o.Kafka.Input == nil && len(o.Kafka.Missing) == 0:
		return status.Unknown(status.KafkaReachable, status.NotAskedYet, "the cluster has not been asked yet")
	}
	return status.True(status.KafkaReachable, status.Reachable, o.answers())
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
		"%s are wanted, and topic %q has %s, each read by one pod at a time: %d run; add partitions to the topic for more",
		wanted, o.Processor.Spec.Input.Topic, count(o.Kafka.Partitions, "partition"), p.Replicas.Count))
}

func (o *Observed) suspended() status.Condition {
	if !o.Processor.Spec.Suspend {
		return status.False(status.Suspended, status.SuspendedBySpec, "")
	}
	return status.True(status.Suspended, status.SuspendedBySpec, "spec.suspend is set")
}

// progressing is not ready, and on its way.
func progressing(reason, message string) []status.Condition {
	return []status.Condition{
		status.False(status.Ready, reason, message),
		status.True(status.Reconciling, status.Progressing, message),
	}
}

// stalled is not ready, and will not be without somebody's act.
func stalled(reason, message string) []status.Condition {
	return []status.Condition{
		status.False(status.Ready, reason, message),
		status.True(status.Stalled, reason, message),
	}
}

func count[T int | int32](n T, noun string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
