package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Conditions puts into words how it stands, and returns when that may change by time
// alone; 0 for never. They are made after the plan was carried out, of what the API
// server has answered: o is then newer than the one that the plan was made of.
func (p *Plan) Conditions(o Observed) (conditions []status.Condition, again time.Duration) {
	state, again := o.state(p).conditions(&o)
	return append(withHeld(state, p.rolloutHeld(&o)),
		o.kafkaReachable(), p.capped(&o), o.stuckPartition(), o.recordsLost(), o.offsetsGone(), o.groupShared(), o.suspended(), o.resizePending(p)), again
}

// state is how Ready, Reconciling and Stalled stand. The first that applies is what a
// user has to see to first.
func (o *Observed) state(p *Plan) standing {
	blocked, isBlocked := o.blocked(p)
	kept, isKept := o.keptState()
	switch {
	case o.Processor.DeletionTimestamp != nil:
		return progressing(status.Deleting, o.deleting())
	case isBlocked:
		return blocked
	case o.Processor.Spec.Suspend:
		return o.stopped(status.NothingRuns, o.suspendedMessage())
	case isKept:
		return kept
	case len(o.Kafka.Missing) > 0:
		return passing(status.TopicNotFound, o.missingTopics())
	case o.Kafka.Trouble != nil:
		return o.withoutAnswers(p)
	case o.Kafka.Partitions == 0:
		return progressing(status.WaitingForKafka, "waiting for the cluster's first answer about the topics")
	}
	return o.running(p)
}

// blocked is what keeps the plan from being carried out.
func (o *Observed) blocked(p *Plan) (s standing, is bool) {
	switch {
	case p.Invalid != nil:
		// Waiting does not remove a mistake.
		return stalled(status.InvalidSpec, "a worker would not run with it: "+p.Invalid.Error()), true
	case len(o.Foreign) > 0:
		return passing(status.NameConflict, fmt.Sprintf("not made by this StreamProcessor, and left alone: %s: delete or rename it, or give the StreamProcessor another name",
			strings.Join(o.Foreign, ", "))), true
	case len(o.Leaving) > 0:
		return progressing(status.Draining, "waiting for the objects of an earlier StreamProcessor of this name to be gone: "+strings.Join(o.Leaving, ", ")), true
	case len(o.Credentials.Missing) > 0:
		return passing(status.CredentialsNotFound, strings.Join(o.Credentials.Missing, "; ")), true
	case o.GroupOwner != "":
		return passing(status.GroupConflict, o.groupConflict()), true
	case o.NotPermitted != "":
		return passing(status.Refused, "the API server refuses it: "+o.NotPermitted), true
	}
	return standing{}, false
}

// withoutAnswers is how it stands while the operator gets none from Kafka. Pods that
// are members of the group do get them, so that alone is no reason not to be ready.
// Where autoscaling has let no pod run, nobody does, and no record would be noticed.
func (o *Observed) withoutAnswers(p *Plan) standing {
	t := o.Kafka.Trouble
	if asleep := p.Replicas.Count == 0 && o.scalesItself(); o.Kafka.Partitions > 0 && !asleep {
		if s := o.running(p); s.ready || s.runs != "" || s.grace > 0 {
			return s
		}
	}
	if t.Refused {
		return passing(status.NotAuthorized, t.Message)
	}
	return progressing(status.Unreachable, t.Message)
}

// keptState is what an operator that has just started, and has not heard from Kafka
// yet, knows of the topics: what the status says.
func (o *Observed) keptState() (s standing, is bool) {
	last := o.last(status.Ready)
	if !o.unasked() || last == nil {
		return standing{}, false
	}
	switch last.Reason {
	case status.TopicNotFound, status.NotAuthorized:
		return passing(last.Reason, last.Message), true
	case status.Unreachable:
		return progressing(last.Reason, last.Message), true
	}
	return standing{}, false
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
		return status.False(status.KafkaReachable, status.NotAuthorized, t.Message+o.partitionsKnown())
	case t != nil:
		return status.False(status.KafkaReachable, status.Unreachable, t.Message+o.partitionsKnown())
	case o.unasked():
		// An operator that starts again, or takes over, has no news.
		if last := o.last(status.KafkaReachable); last != nil {
			return status.Condition{Type: last.Type, Status: last.Status, Reason: last.Reason, Message: last.Message}
		}
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

func count[T int | int32](n T, noun string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
