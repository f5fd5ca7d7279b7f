package plan

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// judge decides about Ready, Reconciling and Stalled.
type judge struct {
	o *Observed
	p *Plan
}

// standing returns the first state that applies: the one that a user has to see to
// first.
func (j judge) standing() standing {
	o := j.o
	blocked, isBlocked := j.blocked()
	kept, isKept := j.fromStatus()
	switch {
	case o.Processor.DeletionTimestamp != nil:
		return progressing(status.Deleting, j.deleting())
	case isBlocked:
		return blocked
	case o.Processor.Spec.Suspend:
		return j.stopped(status.NothingRuns, j.suspended())
	case isKept:
		return kept
	case len(o.Kafka.Missing) > 0:
		return passing(status.TopicNotFound, j.missingTopics())
	case o.Kafka.Trouble != nil:
		return j.withoutAnswers()
	case o.Kafka.Partitions == 0:
		return progressing(status.WaitingForKafka, "waiting for Kafka's first answer about the topics")
	}
	return j.running()
}

// blocked returns the state in which the operator can't carry the plan out.
func (j judge) blocked() (s standing, isBlocked bool) {
	o := j.o
	switch {
	case j.p.Invalid != nil:
		// Waiting does not remove a mistake.
		return stalled(status.InvalidSpec, "no worker can run with this spec: "+j.p.Invalid.Error()), true
	case len(o.Foreign) > 0:
		return passing(status.NameConflict, fmt.Sprintf("objects of others have the names that the operator needs, and it does not touch them: %s: delete or rename them, or give the StreamProcessor another name",
			strings.Join(o.Foreign, ", "))), true
	case len(o.Leaving) > 0:
		return progressing(status.Draining, "waiting until the objects of an earlier StreamProcessor with this name are deleted: "+strings.Join(o.Leaving, ", ")), true
	case len(o.Credentials.Missing) > 0:
		return passing(status.CredentialsNotFound, strings.Join(o.Credentials.Missing, "; ")), true
	case o.GroupOwner != "":
		return passing(status.GroupConflict, j.groupConflict()), true
	case o.NotPermitted != "":
		return passing(status.Refused, "the API server refuses "+o.NotPermitted), true
	}
	return standing{}, false
}

// groupConflict names the StreamProcessor that holds the group. Pods that run do so
// with another group: the spec has changed since.
func (j judge) groupConflict() string {
	o := j.o
	message := fmt.Sprintf("StreamProcessor %s holds consumer group %q on the same cluster, and the two would split the topic between them: set another spec.input.groupId, or suspend or delete %s",
		o.GroupOwner, resources.GroupID(o.Processor), o.GroupOwner)
	switch held := o.Held(); {
	case held == 1:
		message += "; until then 1 pod goes on with its former configuration"
	case held > 1:
		message += fmt.Sprintf("; until then %d pods go on with their former configuration", held)
	}
	return message
}

// withoutAnswers returns the state while the operator gets no answer from Kafka. Pods
// that are members of the group do get answers, so Ready stays True. If autoscaling
// runs no pod, nobody gets answers, and nobody would notice new records.
func (j judge) withoutAnswers() standing {
	o := j.o
	asleep := j.p.Replicas.Count == 0 && o.scalesItself()
	if o.Kafka.Partitions > 0 && !asleep {
		if s := j.running(); s.ready || s.stillRuns != "" || s.grace > 0 {
			return s
		}
	}
	if o.Kafka.Trouble.Refused {
		return passing(status.NotAuthorized, o.Kafka.Trouble.Message)
	}
	return progressing(status.Unreachable, o.Kafka.Trouble.Message)
}

// fromStatus returns the state for an operator that has just started and has not heard
// from Kafka yet: the one that the status has.
func (j judge) fromStatus() (s standing, isKept bool) {
	last := j.o.last(status.Ready)
	if !j.o.Kafka.notAsked() || last == nil {
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

func (j judge) missingTopics() string {
	topics := strings.Join(j.o.Kafka.Missing, ", ")
	if j.o.Held() > 0 {
		return fmt.Sprintf("no longer in the Kafka cluster: topic %s; if it does not come back, the operator stops the pods", topics)
	}
	return fmt.Sprintf("not in the Kafka cluster: topic %s: create it, or correct its name; workers create an output or dead-letter topic that has a create field", topics)
}

func (j judge) deleting() string {
	o := j.o
	if o.Processor.Spec.DeletionPolicy != v1alpha1.DeleteGroup {
		return "Kubernetes is deleting its objects"
	}
	message := fmt.Sprintf("the operator deletes consumer group %q when the last pod is gone", resources.GroupID(o.Processor))
	if o.Kafka.Trouble != nil {
		message += "; it can't yet: " + o.Kafka.Trouble.Message + "; set spec.deletionPolicy to KeepGroup to leave the group"
	}
	return message
}

func (j judge) suspended() string {
	if j.o.offsetsGone().Status == metav1.ConditionTrue {
		return "suspended: no pod runs; the group has lost offsets, see the condition " + status.OffsetsGone
	}
	return "suspended: no pod runs, and the group keeps its offsets; set spec.suspend to false to resume"
}

// stopped returns the state when the plan is to run no pod.
func (j judge) stopped(reason, message string) standing {
	if left := j.o.podsLeft(); left > 0 {
		return progressing(status.Draining, fmt.Sprintf("waiting for %s to finish and commit the records in flight", count(left, "pod")))
	}
	return ready(reason, message)
}

// running judges the pods.
func (j judge) running() standing {
	o, want := j.o, j.p.Replicas.Count
	if want == 0 {
		return j.stopped(status.ScaledToZero, "scaled to zero: "+j.p.Replicas.Why)
	}
	d := o.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		s := progressing(status.RolloutInProgress, "waiting for the Deployment to start "+count(want, "pod"))
		if d != nil && !o.TemplateChanged {
			s.stillRuns = j.stillRuns(d, want)
		}
		return s
	}
	if complete(d, want) {
		read := "read"
		if want == 1 {
			read = "reads"
		}
		message := fmt.Sprintf("%s of consumer group %q %s %s",
			count(want, "member"), resources.GroupID(o.Processor), read, count(o.Kafka.Partitions, "partition"))
		if s, isReloading := j.reloading(message); isReloading {
			return s
		}
		return ready(status.Running, message)
	}
	s := j.incomplete(d, want)
	if d.Status.Replicas <= d.Status.UpdatedReplicas {
		s.stillRuns = j.stillRuns(d, want)
	}
	return s
}

// incomplete returns the state while not all pods are members of the group.
func (j judge) incomplete(d *appsv1.Deployment, want int32) standing {
	o := j.o
	refused := deploymentCondition(d, appsv1.DeploymentReplicaFailure)
	progress := deploymentCondition(d, appsv1.DeploymentProgressing)
	reason, trouble := failing(o.podsOfTemplate(), o.Now)
	switch s := &d.Status; {
	case reason == status.PodsUnschedulable:
		return standing{reason: reason, message: trouble, grace: nodeGrace}
	case reason != "":
		return passing(reason, trouble)
	case refused != nil && refused.Status == corev1.ConditionTrue:
		return passing(status.PodsRefused, "pods can't be created: "+refused.Message)
	case progress != nil && progress.Status == corev1.ConditionFalse && o.starting() == "":
		// The Deployment has had its grace: ten minutes without any progress.
		return stalled(status.PodsNotReady, fmt.Sprintf("only %d of %d pods are members of the consumer group, and no more have joined for a long time: their logs say why",
			min(s.ReadyReplicas, s.UpdatedReplicas), want)+j.waiting())
	case s.UpdatedReplicas < want || s.Replicas > s.UpdatedReplicas:
		return progressing(status.RolloutInProgress, fmt.Sprintf("rolling out: %d of %d pods run the new configuration", s.UpdatedReplicas, want)+j.waiting())
	}
	return progressing(status.PodsNotReady, fmt.Sprintf("%d of %d pods are members of the consumer group", d.Status.ReadyReplicas, want)+j.waiting())
}

// waiting extends a message with the reason why a pod waits, such as the output's
// cluster, which the operator does not ask. A worker with a program beside it does not start
// before that connects.
func (j judge) waiting() string {
	if j.o.Kafka.Waiting != "" {
		return "; " + j.o.Kafka.Waiting
	}
	if pod := j.o.starting(); pod != "" && j.o.Processor.Spec.Processor.Sidecar != nil {
		return fmt.Sprintf("; pod %s waits until a process of the processor connects to the worker%s", pod, seeLogs(pod, ""))
	}
	return ""
}

// stillRuns returns the message of Ready while pods are added: Ready was True, and no
// member has left the group. It returns "" if that is not so.
func (j judge) stillRuns(d *appsv1.Deployment, want int32) string {
	before := &j.o.Processor.Status
	members := d.Status.ReadyReplicas
	if members == 0 || members < min(want, before.ReadyReplicas) || !meta.IsStatusConditionTrue(before.Conditions, status.Ready) {
		return ""
	}
	return fmt.Sprintf("%d of %d pods are members of consumer group %q", min(members, want), want, resources.GroupID(j.o.Processor))
}
