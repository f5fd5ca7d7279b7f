package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

func besideWorkers(sp *v1alpha1.StreamProcessor) {
	sp.Spec.Processor = v1alpha1.ProcessorSpec{Sidecar: &v1alpha1.SidecarSpec{Image: "classify:1"}}
}

// TestProcessesThatFail: the condition names pod, number and error, gets one event, and goes when
// the failures are past. It has few writes of the status, however often processes fail.
func TestProcessesThatFail(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	besideWorkers(sp)
	w.must(w.Update(t.Context(), sp))
	fail := func(times int) v1alpha1.StreamProcessorStatus {
		w.workers(podwatch.Facts{Asked: 1, Answered: 1, Failures: []podwatch.Failures{{Pod: "enrich-1", Times: times, LastError: "the process has ended"}}})
		return w.next()
	}
	message := func(s v1alpha1.StreamProcessorStatus) string {
		return condition(s, "ProcessorFailing", "ProcessesFail")
	}
	if m := message(fail(2)); m != "" {
		t.Errorf("after few failures the condition says %q", m)
	}
	if m := message(fail(3)); !strings.Contains(m, "pod enrich-1: processes of the processor have failed 3 times in the last 5 minutes, last: the process has ended") {
		t.Errorf("the condition says %q", m)
	}
	versions := map[string]bool{}
	for i := range 100 {
		fail(4 + i)
		w.must(w.Get(t.Context(), worldKey, sp))
		versions[sp.ResourceVersion] = true
	}
	// A reconciliation takes a second of this clock.
	if n := len(versions); n < 5 || n > 12 {
		t.Errorf("the status was written %d times in 100 s", n)
	}
	if events := w.told("ProcessesFail"); len(events) != 1 || !strings.HasPrefix(events[0], "Warning") {
		t.Errorf("there are the events %q", events)
	}
	w.restart()
	w.workers(podwatch.Facts{Asked: 1})
	if m := message(w.next()); m == "" {
		t.Error("an operator that has not heard from the pods takes the condition away")
	}
	if m := message(fail(1)); m == "" {
		t.Error("the condition goes before the last failure is past")
	}
	w.workers(podwatch.Facts{Asked: 1, Answered: 1})
	if m := message(w.next()); m != "" {
		t.Errorf("afterwards the condition says %q", m)
	}
	if events := w.told("ProcessesFail"); len(events) != 0 {
		t.Errorf("after the restart there are the events %q", events)
	}
}

// TestAFailingProcessor: on a real API server, the status has the condition for processes that
// fail, and for a container that Kubernetes restarts, and no longer when it has become calm.
func TestAFailingProcessor(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", besideWorkers)
	d := o.runs("enrich", 2)
	o.patch(d, fmt.Sprintf(`{"metadata": {"annotations": {%q: "1"}}}`, revisionAnnotation))
	o.settle("enrich")
	pod := o.pod(d, "enrich-1", o.replicaSet(d, "1"), "10.0.0.1")
	fail := func(times int) {
		facts := podwatch.Facts{Asked: 2, Answered: 2, Saturation: -1}
		if times > 0 {
			facts.Failures = []podwatch.Failures{{Pod: "enrich-1", Times: times, LastError: "the process took longer than the timeout of an attempt"}}
		}
		o.pods.change(o.key("enrich"), facts)
	}
	fail(7)
	o.expect("enrich", "ProcessorFailing", yes, "ProcessesFail", "pod enrich-1", "7 times in the last 5 minutes", "the process took longer than the timeout of an attempt", "kubectl logs enrich-1 -c processor")
	o.expect("enrich", "Ready", yes, "Running")
	o.event("enrich", "ProcessesFail")

	restarted := func(ago time.Duration) {
		at := metav1.NewTime(time.Now().Add(-ago))
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{
			Name: "processor", RestartCount: 3,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 3, Message: "ImportError: no module named model", StartedAt: at, FinishedAt: at,
			}},
		}}
		if err := o.client.Status().Update(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	restarted(time.Minute)
	o.expect("enrich", "ProcessorFailing", yes, "ContainerRestarts", "pod enrich-1", "restarted 3 times", "exit code 3: ImportError: no module named model", "--previous")
	restarted(time.Hour)
	o.expect("enrich", "ProcessorFailing", yes, "ProcessesFail")
	fail(0)
	o.expect("enrich", "ProcessorFailing", "", "")
}
