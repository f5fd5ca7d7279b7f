package plan

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

func beside(o *Observed) {
	o.Processor.Spec.Processor = v1alpha1.ProcessorSpec{Sidecar: &v1alpha1.SidecarSpec{Image: "a"}}
}

// ended returns the status of a processor's container with so many restarts, whose last run took
// so long and ended so long ago.
func ended(restarts, code int32, reason string, took, ago time.Duration) corev1.PodStatus {
	at := now.Add(-ago)
	return corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{
		{Name: "other", RestartCount: 99, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 9, FinishedAt: metav1.NewTime(now), StartedAt: metav1.NewTime(now)}}},
		{Name: "processor", Ready: true, RestartCount: restarts, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, Message: "log\nerror: no model\n", StartedAt: metav1.NewTime(at.Add(-took)), FinishedAt: metav1.NewTime(at),
		}}},
	}}
}

func failed(pods ...PodFailures) func(*Observed) {
	return func(o *Observed) { o.Failures.Pods = pods }
}

// TestProcessorFailing: the condition is there for a program that fails again and again, and not
// for one that has ended once, long ago or in good order.
func TestProcessorFailing(t *testing.T) {
	container := func(restarts, code int32, reason string, took, ago time.Duration) func(*Observed) {
		return pod("enrich-2", "present", ended(restarts, code, reason, took, ago))
	}
	for name, c := range map[string]struct {
		o       Observed
		reason  string // "" for no condition
		message string
		again   time.Duration
	}{
		"it runs": {observed(beside), "", "", 0},
		"its processes fail": {
			observed(beside, failed(PodFailures{"enrich-1", 2, "slow"}, PodFailures{"enrich-2", 7, "the process took longer than the timeout of an attempt"})),
			status.ProcessesFail, "pod enrich-2: processes of the processor have failed 7 times in the last 5 minutes, last: " +
				"the process took longer than the timeout of an attempt; so have those of 1 other pod; see kubectl logs enrich-2 -c processor", 0,
		},
		"few of them fail": {observed(beside, failed(PodFailures{"enrich-1", 2, "slow"})), "", "", 0},
		"the container restarts": {
			observed(beside, container(4, 1, "Error", time.Minute, 4*time.Minute), failed(PodFailures{"enrich-2", 7, "gone"})),
			status.ContainerRestarts, "pod enrich-2: the container processor was restarted 4 times, last: it ended with exit code 1: error: no model; " +
				"see kubectl logs enrich-2 -c processor --previous", 6 * time.Minute,
		},
		"the containers of two pods restart": {
			observed(beside, container(4, 1, "Error", 0, time.Minute), pod("enrich-1", "present", ended(2, 1, "Error", 0, 2*time.Minute))),
			status.ContainerRestarts, "pod enrich-1: the container processor was restarted 2 times, last: it ended with exit code 1: error: no model; " +
				"see kubectl logs enrich-1 -c processor --previous; so it was in 1 other pod", 8 * time.Minute,
		},
		"the container lacks memory": {
			observed(beside, container(2, 137, "OOMKilled", 0, time.Minute)),
			status.ContainerRestarts, "pod enrich-2: the container processor was restarted 2 times, last: it needed more memory than its limit: " +
				"raise spec.processor.sidecar.resources.limits.memory; see kubectl logs enrich-2 -c processor --previous", 9 * time.Minute,
		},
		"it restarted once":               {observed(beside, container(1, 1, "Error", 0, time.Minute)), "", "", 0},
		"it restarted long ago":           {observed(beside, container(9, 1, "Error", 0, 10*time.Minute)), "", "", 0},
		"it had run for long":             {observed(beside, container(9, 1, "Error", 10*time.Minute, time.Minute)), "", "", 0},
		"it ended in good order":          {observed(beside, container(9, 0, "Completed", 0, time.Minute)), "", "", 0},
		"a pod of a former template":      {observed(beside, pod("old", "former", ended(9, 1, "Error", 0, time.Minute))), "", "", 0},
		"there are no pods yet":           {observed(beside, none), "", "", 0},
		"another processor's pod crashes": {observed(container(9, 1, "Error", 0, time.Minute)), "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, again := look(&c.o, now)
			shown := meta.FindStatusCondition(c.o.Processor.Status.Conditions, status.ProcessorFailing)
			if shown == nil {
				shown = &metav1.Condition{}
			}
			if shown.Reason != c.reason || shown.Message != c.message || c.reason != "" && again != c.again {
				t.Errorf("%s: %s, again in %s; want %s: %s, again in %s", shown.Reason, shown.Message, again, c.reason, c.message, c.again)
			}
		})
	}
}

// TestAProgramThatDoesNotConnect: Ready says what a worker waits for that has no process yet.
func TestAProgramThatDoesNotConnect(t *testing.T) {
	waiting := corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name: "worker", Started: new(false), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}}
	const want = "1 of 2 pods are members of the consumer group; pod enrich-1 waits until a process of the processor connects to the worker; see kubectl logs enrich-1 -c processor"
	o := observed(beside, counts(2, 2, 1), pod("enrich-2", "present", waiting), pod("enrich-1", "present", waiting))
	if seen, message, _ := look(&o, now); seen != "InProgress False/PodsNotReady" || message != want {
		t.Errorf("%s: %s, want %s", seen, message, want)
	}
	o = observed(counts(2, 2, 1), pod("enrich-1", "present", waiting))
	if _, message, _ := look(&o, now); message != "1 of 2 pods are members of the consumer group" {
		t.Errorf("of another processor: %s", message)
	}
}

// TestProcessorFailingDoesNotFlap: once there, it stays until the last failure is past, and an
// operator that starts again keeps it until it has heard from the pods.
func TestProcessorFailingDoesNotFlap(t *testing.T) {
	o := observed(beside)
	for i, step := range []struct {
		f    Failures
		want string // a part of the message, "" for no condition
	}{
		{Failures{Pods: []PodFailures{{"enrich-1", 2, "gone"}}}, ""},
		{Failures{Pods: []PodFailures{{"enrich-1", 3, "gone"}}}, "enrich-1: processes of the processor have failed 3 times"},
		{Failures{Pods: []PodFailures{{"enrich-1", 2, "gone"}}}, "2 times"},
		{Failures{Unheard: true}, "2 times"},
		{Failures{Unheard: true, Pods: []PodFailures{{"enrich-2", 1, "gone"}}}, "2 times"},
		{Failures{Pods: []PodFailures{{"enrich-1", 1, "gone"}}}, "1 time in"},
		{Failures{}, ""},
		{Failures{Pods: []PodFailures{{"enrich-1", 2, "gone"}}}, ""},
		{Failures{Unheard: true}, ""},
	} {
		o.Failures = step.f
		look(&o, now)
		shown := meta.FindStatusCondition(o.Processor.Status.Conditions, status.ProcessorFailing)
		if (shown != nil) != (step.want != "") || shown != nil && !strings.Contains(shown.Message, step.want) {
			t.Errorf("step %d: the condition is %+v, want %q", i, shown, step.want)
		}
	}
}
