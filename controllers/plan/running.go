package plan

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// running judges the pods.
func (o *Observed) running(p *Plan) standing {
	want := p.Replicas.Count
	if want == 0 {
		return o.stopped(status.ScaledToZero, "scaled to zero: "+p.Replicas.Why)
	}
	d := o.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		s := progressing(status.RolloutInProgress, count(want, "pod")+" asked for")
		if d != nil && !o.TemplateChanged {
			s.runs = o.stillRuns(d, want)
		}
		return s
	}
	if complete(d, want) {
		return ready(status.Running, fmt.Sprintf("%s of consumer group %q read %s",
			count(want, "member"), resources.GroupID(o.Processor), count(o.Kafka.Partitions, "partition")))
	}
	s := o.incomplete(d, want)
	if d.Status.Replicas <= d.Status.UpdatedReplicas {
		s.runs = o.stillRuns(d, want)
	}
	return s
}

func complete(d *appsv1.Deployment, want int32) bool {
	s := &d.Status
	return s.UpdatedReplicas >= want && s.Replicas <= s.UpdatedReplicas && s.ReadyReplicas >= want
}

// incomplete is why not all pods are members of the group.
func (o *Observed) incomplete(d *appsv1.Deployment, want int32) standing {
	refused := deploymentCondition(d, appsv1.DeploymentReplicaFailure)
	progress := deploymentCondition(d, appsv1.DeploymentProgressing)
	reason, trouble := failing(o.present(), o.Now)
	switch s := &d.Status; {
	case reason == status.PodsUnschedulable:
		return standing{reason: reason, message: trouble, grace: nodeGrace}
	case reason != "":
		return passing(reason, trouble)
	case refused != nil && refused.Status == corev1.ConditionTrue:
		return passing(status.PodsRefused, "pods can't be created: "+refused.Message)
	case progress != nil && progress.Status == corev1.ConditionFalse && !o.starting():
		// The Deployment has had its grace: ten minutes without any progress.
		return stalled(status.PodsNotReady, fmt.Sprintf("%d of %d pods are members of the consumer group, and it has not become more for long: their logs say what they wait for",
			min(s.ReadyReplicas, s.UpdatedReplicas), want)+o.waiting())
	case s.UpdatedReplicas < want || s.Replicas > s.UpdatedReplicas:
		return progressing(status.RolloutInProgress, fmt.Sprintf("%d of %d pods have the present configuration", s.UpdatedReplicas, want)+o.waiting())
	}
	return progressing(status.PodsNotReady, fmt.Sprintf("%d of %d pods are members of the consumer group", d.Status.ReadyReplicas, want)+o.waiting())
}

// waiting adds to a message what a pod waits for, such as the output's cluster, which
// the operator does not ask.
func (o *Observed) waiting() string {
	if o.Kafka.Waiting == "" {
		return ""
	}
	return "; " + o.Kafka.Waiting
}

func deploymentCondition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

// stillRuns is what Ready says while pods are added: it was True, and none of the
// members that there were is missing. It is "" if that is not so.
func (o *Observed) stillRuns(d *appsv1.Deployment, want int32) string {
	before := &o.Processor.Status
	members := d.Status.ReadyReplicas
	if members == 0 || members < min(want, before.ReadyReplicas) || !meta.IsStatusConditionTrue(before.Conditions, status.Ready) {
		return ""
	}
	return fmt.Sprintf("%s of consumer group %q, of %d that are wanted", count(min(members, want), "member"), resources.GroupID(o.Processor), want)
}

// stopped is how it stands when no pod is wanted.
func (o *Observed) stopped(reason, message string) standing {
	if left := o.left(); left > 0 {
		return progressing(status.Draining, fmt.Sprintf("waiting for %s to finish and commit what was begun", count(left, "pod")))
	}
	return ready(reason, message)
}

// left is how many pods there are, those that are terminating among them.
func (o *Observed) left() int {
	if o.Deployment == nil {
		return len(o.Pods)
	}
	left := 0
	for i := range o.Pods {
		if o.Owns(&o.Pods[i]) {
			left++
		}
	}
	return max(left, int(o.Deployment.Status.Replicas))
}
