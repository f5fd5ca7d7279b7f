package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Failures are those of the processes of processor.sidecar.
type Failures struct {
	// Pods are the pods whose workers report failures in the last minutes, by name.
	Pods []PodFailures
	// Unheard: an operator that has just started has not heard from all pods.
	Unheard bool
}

// PodFailures is the report of one pod.
type PodFailures struct {
	Name      string
	Times     int // in the last workerstatus.RecentFailures
	LastError string
}

// failuresShown is how many failures of a pod's processes, in the last minutes, make a
// condition. It then stays until all of them are past, so that it does not come and go with
// single failures.
const failuresShown = 3

// processorFailing returns the condition, and the time after which it may change by time
// alone; 0 for never.
func (o *Observed) processorFailing() (shown status.Condition, again time.Duration) {
	if o.Processor.Spec.Processor.Sidecar == nil {
		return status.False(status.ProcessorFailing, status.ProcessesFail, ""), 0
	}
	if message, left := o.containerRestarts(); message != "" {
		return status.True(status.ProcessorFailing, status.ContainerRestarts, message), left
	}
	last := o.last(status.ProcessorFailing)
	before := last != nil && last.Reason == status.ProcessesFail
	if before && o.Failures.Unheard {
		return status.True(last.Type, last.Reason, last.Message), 0
	}
	worst, more := o.Failures.worst()
	if worst.Times < failuresShown && (!before || worst.Times == 0) {
		return status.False(status.ProcessorFailing, status.ProcessesFail, ""), 0
	}
	message := fmt.Sprintf("pod %s: processes of the processor have failed %s in the last 5 minutes, last: %s",
		worst.Name, count(worst.Times, "time"), worst.LastError)
	if more > 0 {
		message += fmt.Sprintf("; so have those of %s", count(more, "other pod"))
	}
	return status.True(status.ProcessorFailing, status.ProcessesFail, message+seeLogs(worst.Name, "")), 0
}

// worst returns the pod with the most failures, and how many others have some.
func (f *Failures) worst() (worst PodFailures, more int) {
	for _, p := range f.Pods {
		if p.Times > worst.Times {
			worst = p
		}
	}
	return worst, max(0, len(f.Pods)-1)
}

// containerRestarts returns the message about the first pod whose processor's container ends
// again and again, and the time until the last end is past; "" if none does.
func (o *Observed) containerRestarts() (message string, left time.Duration) {
	if o.Deployment == nil {
		return "", 0
	}
	more := 0
	for _, pod := range slices.SortedFunc(slices.Values(o.podsOfTemplate()), func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) }) {
		for i := range pod.Status.InitContainerStatuses {
			c := &pod.Status.InitContainerStatuses[i]
			trouble, past := restarts(c, o.Now)
			switch {
			case c.Name != v1alpha1.ProcessorContainer || trouble == "" || pod.DeletionTimestamp != nil:
			case message == "":
				message, left = fmt.Sprintf("pod %s: %s", pod.Name, trouble)+seeLogs(pod.Name, " --previous"), past
			default:
				more, left = more+1, min(left, past)
			}
		}
	}
	if more > 0 {
		message += fmt.Sprintf("; so it was in %s", count(more, "other pod"))
	}
	return message, left
}

// restarts returns a message if a container ends again and again, and the time until its last
// end is past. An end after a long time is a single one, and one with exit code 0 is in good
// order: a program may want to be started anew.
func restarts(c *corev1.ContainerStatus, now time.Time) (message string, left time.Duration) {
	last := c.LastTerminationState.Terminated
	if c.State.Terminated != nil {
		last = c.State.Terminated
	}
	if c.RestartCount < crashesShown || last == nil || last.ExitCode == 0 || last.FinishedAt.Sub(last.StartedAt.Time) >= recent {
		return "", 0
	}
	if left = last.FinishedAt.Add(recent).Sub(now); left <= 0 {
		return "", 0
	}
	message = fmt.Sprintf("the container %s was restarted %s, last: ", c.Name, count(c.RestartCount, "time"))
	if last.Reason == "OOMKilled" {
		return message + "it needed more memory than its limit: raise spec.processor.sidecar.resources.limits.memory", left
	}
	return message + strings.TrimSuffix(fmt.Sprintf("it ended with exit code %d: %s", last.ExitCode, lastLine(last.Message)), ": "), left
}

func seeLogs(pod, flags string) string {
	return fmt.Sprintf("; see kubectl logs %s -c %s%s", pod, v1alpha1.ProcessorContainer, flags)
}
