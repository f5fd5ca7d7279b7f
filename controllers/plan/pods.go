package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/controllers/status"
)

// crashesShown is the number of crashes in a row that a condition shows, and recent
// the age of the last crash up to which it does: a container that has run for longer
// may be unready for another reason. It is longer than Kubernetes waits between
// restarts.
const (
	crashesShown = 2
	recent       = 10 * time.Minute
)

// failing returns the reason for Ready and the message about the pod that fails most
// clearly; "" if none fails. The pods of one configuration mostly fail for one cause,
// so the message names one of them.
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
			return reason, fmt.Sprintf("%d pods fail; the first is %s", n, first[reason])
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
		return w.Reason + ": " + lastLine(w.Message)
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
		return "it needs more memory than its limit: raise the memory limit of the container " + c.Name + " in spec.template.spec, or lower spec.inFlight"
	}
	return strings.TrimSuffix(fmt.Sprintf("it ends with exit code %d: %s", last.ExitCode, lastLine(last.Message)), ": ")
}

// crashLoop is the reason of a container that waits between restarts.
const crashLoop = "CrashLoopBackOff"

// lastLine returns the last line of a message: a program's last line gives the reason
// for its end.
func lastLine(message string) string {
	message = strings.TrimSpace(message)
	return message[strings.LastIndexByte(message, '\n')+1:]
}
