package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// crashesShown is how many crashes in a row are more than bad luck.
const crashesShown = 2

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

// failing tells of the pod that fails most clearly, "" if none does. The pods of
// one Deployment mostly fail of one cause, so one of them says it.
func failing(pods []corev1.Pod) string {
	pods = slices.SortedFunc(slices.Values(pods), func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	count, first := 0, ""
	for i := range pods {
		if trouble := troubleOf(&pods[i]); trouble != "" {
			count++
			first = cmp.Or(first, fmt.Sprintf("pod %s: %s", pods[i].Name, trouble))
		}
	}
	if count > 1 {
		return fmt.Sprintf("%d pods fail, the first of them is %s", count, first)
	}
	return first
}

func troubleOf(pod *corev1.Pod) string {
	if pod.DeletionTimestamp != nil {
		return ""
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return "no node has room for it: " + c.Message
		}
	}
	for i := range pod.Status.ContainerStatuses {
		if trouble := containerTrouble(&pod.Status.ContainerStatuses[i]); trouble != "" {
			return trouble
		}
	}
	return ""
}

func containerTrouble(c *corev1.ContainerStatus) string {
	if w := c.State.Waiting; w != nil && !slices.Contains([]string{"ContainerCreating", "PodInitializing", "CrashLoopBackOff"}, w.Reason) {
		return w.Reason + ": " + oneLine(w.Message)
	}
	if c.Ready || c.RestartCount < crashesShown {
		return ""
	}
	last := c.LastTerminationState.Terminated
	if c.State.Terminated != nil {
		last = c.State.Terminated
	}
	if last == nil {
		return "it has been restarted several times"
	}
	if last.Reason == "OOMKilled" {
		return "it needs more memory than its limit: raise the memory limit of the container worker in spec.template.spec, or lower spec.inFlight"
	}
	return strings.TrimSuffix(fmt.Sprintf("it ends with exit code %d: %s", last.ExitCode, oneLine(last.Message)), ": ")
}

// oneLine is the last line: what a program ends with says why.
func oneLine(message string) string {
	message = strings.TrimSpace(message)
	return message[strings.LastIndexByte(message, '\n')+1:]
}
