package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

// crashesShown is how many crashes in a row are more than bad luck, and recent how
// long ago the last of them may be: a container that has been running since may be
// unready for another reason. It is longer than Kubernetes waits between restarts.
const (
	crashesShown = 2
	recent       = 10 * time.Minute
)

// revisionAnnotation is the Deployment controller's, on a Deployment and on each of
// its ReplicaSets: the present one has the same number.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// Owns reports whether a pod belongs to the Deployment. Others may bear the same
// labels.
func (o *Observed) Owns(pod *corev1.Pod) bool {
	return slices.ContainsFunc(o.ReplicaSets, func(set metav1.ObjectMeta) bool { return metav1.IsControlledBy(pod, &set) })
}

// present are the pods of the Deployment's present configuration. There are none
// until its controller has seen that.
func (o *Observed) present() []corev1.Pod {
	revision := o.Deployment.Annotations[revisionAnnotation]
	var pods []corev1.Pod
	for _, set := range o.ReplicaSets {
		if set.Annotations[revisionAnnotation] != revision {
			continue
		}
		for i := range o.Pods {
			if metav1.IsControlledBy(&o.Pods[i], &set) {
				pods = append(pods, o.Pods[i])
			}
		}
	}
	return pods
}

// starting reports whether a program runs that its startup probe still waits for.
// The kubelet restarts it when that has waited enough.
func (o *Observed) starting() bool {
	for _, pod := range o.present() {
		for _, c := range pod.Status.ContainerStatuses {
			if c.Name == v1alpha1.WorkerContainer && c.State.Running != nil && c.Started != nil && !*c.Started {
				return true
			}
		}
	}
	return false
}

// failing tells of the pod that fails most clearly, and returns the reason for Ready;
// "" if none does. The pods of one configuration mostly fail of one cause, so one of
// them says it.
func failing(pods []corev1.Pod, now time.Time) (reason, message string) {
	pods = slices.SortedFunc(slices.Values(pods), func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	counts, first := map[string]int{}, map[string]string{}
	for i := range pods {
		if reason, trouble := troubleOf(&pods[i], now); reason != "" {
			counts[reason]++
			first[reason] = cmp.Or(first[reason], fmt.Sprintf("pod %s: %s", pods[i].Name, trouble))
		}
	}
	for _, reason := range []string{status.PodsFailing, status.PodsUnschedulable} {
		switch n := counts[reason]; {
		case n > 1:
			return reason, fmt.Sprintf("%d pods fail, the first of them is %s", n, first[reason])
		case n == 1:
			return reason, first[reason]
		}
	}
	return "", ""
}

func troubleOf(pod *corev1.Pod, now time.Time) (reason, message string) {
	if pod.DeletionTimestamp != nil {
		return "", ""
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return status.PodsUnschedulable, "no node has room for it: " + c.Message
		}
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if trouble := containerTrouble(&list[i], now); trouble != "" {
				return status.PodsFailing, trouble
			}
		}
	}
	return "", ""
}

func containerTrouble(c *corev1.ContainerStatus, now time.Time) string {
	w := c.State.Waiting
	if w != nil && !slices.Contains([]string{"ContainerCreating", "PodInitializing", crashLoop}, w.Reason) {
		return w.Reason + ": " + oneLine(w.Message)
	}
	if c.Ready || c.RestartCount < crashesShown {
		return ""
	}
	last := c.LastTerminationState.Terminated
	if c.State.Terminated != nil {
		last = c.State.Terminated
	}
	looping := w != nil && w.Reason == crashLoop
	switch {
	case last == nil && looping:
		return "it has been restarted several times"
	case last == nil, !looping && now.Sub(last.FinishedAt.Time) >= recent:
		return ""
	case last.Reason == "OOMKilled":
		return "it needs more memory than its limit: raise the memory limit of the container worker in spec.template.spec, or lower spec.inFlight"
	}
	return strings.TrimSuffix(fmt.Sprintf("it ends with exit code %d: %s", last.ExitCode, oneLine(last.Message)), ": ")
}

// crashLoop is what a container waits for between its restarts.
const crashLoop = "CrashLoopBackOff"

// oneLine is the last line: what a program ends with says why.
func oneLine(message string) string {
	message = strings.TrimSpace(message)
	return message[strings.LastIndexByte(message, '\n')+1:]
}
