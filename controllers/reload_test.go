package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// reloadable makes a StreamProcessor with two pods that run its expressions.
func reloadable(t *testing.T, o *operator) *appsv1.Deployment {
	t.Helper()
	o.processor("enrich", filter("json.total > 1"))
	d := o.runs("enrich", 2)
	o.patch(d, fmt.Sprintf(`{"metadata": {"annotations": {%q: "1"}}}`, revisionAnnotation))
	o.settle("enrich")
	set := o.replicaSet(d, "1")
	o.pod(d, "enrich-1", set, "10.0.0.1")
	o.pod(d, "enrich-2", set, "10.0.0.2")
	first := resources.VersionIn(o.expressions("enrich"))
	o.report(running("enrich-1", first), running("enrich-2", first))
	o.awaitExpressions(v1alpha1.ExpressionsStatus{Version: first, Pods: 2, UpdatedPods: 2})
	return d
}

func filter(expression string) func(*v1alpha1.StreamProcessor) {
	return func(sp *v1alpha1.StreamProcessor) { sp.Spec.Processor.CEL.Filter = expression }
}

func running(pod, version string) podwatch.Expressions {
	return podwatch.Expressions{Pod: pod, Version: version}
}

// report sets the pods' answers.
func (o *operator) report(reports ...podwatch.Expressions) {
	o.pods.change(o.key("enrich"), podwatch.Facts{Saturation: -1, Expressions: reports})
}

// changed changes the filter, and returns the version that the ConfigMap then has. The
// Deployment notes the change in an annotation, which gives it a new generation.
func (o *operator) changed(expression string) string {
	o.Helper()
	note := func(d *appsv1.Deployment) string { return d.Annotations["millrace.dev/spec-hash"] }
	before := note(o.replicas("enrich", 2))
	o.update("enrich", filter(expression))
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if note(d) == before {
			return errUnsettled
		}
		return nil
	})
	o.settle("enrich")
	return o.versionOf(expression)
}

// versionOf waits until the ConfigMap has an expression, and returns its version.
func (o *operator) versionOf(expression string) (version string) {
	o.Helper()
	o.eventually("the changed expressions", func() error {
		c := o.expressions("enrich")
		if !strings.Contains(c.Data["expressions.yaml"], expression) {
			return fmt.Errorf("they are %s", c.Data)
		}
		version = resources.VersionIn(c)
		return nil
	})
	return version
}

func (o *operator) awaitExpressions(want v1alpha1.ExpressionsStatus) {
	o.Helper()
	o.eventually(fmt.Sprintf("%+v in the status", want), func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := o.client.Get(o.Context(), o.key("enrich"), sp); err != nil {
			return err
		}
		if got := sp.Status.Expressions; got == nil || *got != want {
			return fmt.Errorf("it has %+v", got)
		}
		return nil
	})
}

// askedToReload waits until a pod is annotated with a version, and returns the pod.
func (o *operator) askedToReload(name, version string) *corev1.Pod {
	o.Helper()
	pod := &corev1.Pod{}
	o.eventually("an annotation on pod "+name, func() error {
		if err := o.client.Get(o.Context(), o.key(name), pod); err != nil {
			return err
		}
		if got, at := resources.AskedToReload(pod); got != version || time.Since(at) > time.Minute {
			return fmt.Errorf("it has %s of %v", got, at)
		}
		return nil
	})
	return pod
}

// TestExpressionsReachRunningPods: changed expressions leave the Deployment as it is. The
// status follows the pods, and the operator annotates each of them once.
func TestExpressionsReachRunningPods(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	before := reloadable(t, o)
	first := resources.VersionIn(o.expressions("enrich"))
	second := o.changed("json.total > 2")
	o.expect("enrich", "Reconciling", yes, "ReloadInProgress", "0 of 2 pods", second, "pod enrich-1, the first of 2, runs version "+first)
	o.expect("enrich", "Ready", yes, "Running", "2 members")
	o.awaitExpressions(v1alpha1.ExpressionsStatus{Version: second, Pods: 2})
	o.askedToReload("enrich-1", second)
	pod := o.askedToReload("enrich-2", second)
	if len(pod.Annotations) != 2 || pod.Spec.Containers[0].Image != "worker:1" {
		t.Errorf("more than the annotations has changed: %+v", pod)
	}

	o.report(running("enrich-1", second), running("enrich-2", first))
	o.expect("enrich", "Reconciling", yes, "ReloadInProgress", "1 of 2 pods", "pod enrich-2 runs version "+first)
	o.report(running("enrich-1", second), running("enrich-2", second))
	o.expect("enrich", "Reconciling", "", "")
	o.awaitExpressions(v1alpha1.ExpressionsStatus{Version: second, Pods: 2, UpdatedPods: 2})
	after := o.replicas("enrich", 2)
	if !equality.Semantic.DeepEqual(after.Spec, before.Spec) {
		t.Errorf("the Deployment has changed: %+v", after.Spec)
	}
	writes := map[string]int{}
	for _, w := range o.api.Writes(t, o.user) {
		if w.Resource == "pods" && w.Code < 300 {
			writes[w.Name]++
		}
	}
	if writes["enrich-1"] != 1 || writes["enrich-2"] != 1 {
		t.Errorf("writes of pods: %v", writes)
	}
}

// TestExpressionsComeBackUnseen: the spec changes and changes back between two answers of
// the pods. They may have taken the change over, or may be about to, so the change back is not
// over before they say so.
func TestExpressionsComeBackUnseen(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	reloadable(t, o)
	first := resources.VersionIn(o.expressions("enrich"))
	o.changed("json.total > 2")
	third := o.changed("json.total > 1")
	o.expect("enrich", "Reconciling", yes, "ReloadInProgress", "0 of 2 pods", third, "runs version "+first)
	o.awaitExpressions(v1alpha1.ExpressionsStatus{Version: third, Pods: 2})
	o.askedToReload("enrich-1", third)
	o.report(running("enrich-1", third), running("enrich-2", third))
	o.expect("enrich", "Reconciling", "", "")
	o.awaitExpressions(v1alpha1.ExpressionsStatus{Version: third, Pods: 2, UpdatedPods: 2})
}

// TestRefusedExpressions: the condition has the error of a worker that can't use the
// expressions. The operator does not ask that worker again.
func TestRefusedExpressions(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	reloadable(t, o)
	first := resources.VersionIn(o.expressions("enrich"))
	second := o.changed("json.total > 2")
	o.askedToReload("enrich-1", second)
	o.report(running("enrich-1", second), podwatch.Expressions{Pod: "enrich-2", Version: first, Refused: second, Error: "processor.cel.filter:1:1: undeclared reference"})
	o.expect("enrich", "Stalled", yes, "ExpressionsRefused", "pod enrich-2", "former ones", "processor.cel.filter:1:1")
	o.expect("enrich", "Ready", no, "ExpressionsRefused")
	o.event("enrich", "ExpressionsRefused")
	o.awaitExpressions(v1alpha1.ExpressionsStatus{Version: second, Pods: 2, UpdatedPods: 1})
	third := o.changed("json.total > 3")
	o.report(running("enrich-1", third), running("enrich-2", third))
	o.expect("enrich", "Stalled", "", "")
	o.expect("enrich", "Ready", yes, "Running")
}

// TestExpressionsChangeWithSomethingElse: then pods are replaced once. The former pods keep
// the former expressions.
func TestExpressionsChangeWithSomethingElse(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*v1alpha1.StreamProcessorSpec){
		"a topic":   func(s *v1alpha1.StreamProcessorSpec) { s.Output.Topic = "others" },
		"the image": func(s *v1alpha1.StreamProcessorSpec) { s.Processor.CEL.Image = "worker:2" },
		"a variable": func(s *v1alpha1.StreamProcessorSpec) {
			s.Template = overlay(`{"containers": [{"name": "worker", "env": [{"name": "EXPRESSION_KEY_A", "value": "b"}]}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testChangeWithSomethingElse(t, change)
		})
	}
}

func testChangeWithSomethingElse(t *testing.T, change func(*v1alpha1.StreamProcessorSpec)) {
	o := startOperator(t, 6)
	before := reloadable(t, o)
	former := o.expressions("enrich")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		change(&sp.Spec)
		filter("json.total > 2")(sp)
	})
	after := o.deployment("enrich", func(d *appsv1.Deployment) error {
		if fileOf(d) == fileOf(before) {
			return errors.New("it has the former file")
		}
		return nil
	})
	if now := o.expressions("enrich"); now.Name == former.Name || !strings.Contains(now.Data["expressions.yaml"], "json.total > 2") {
		t.Errorf("the new pods have %s: %s", now.Name, now.Data)
	}
	o.looksAgain("enrich")
	if now := o.replicas("enrich", 2); now.Generation != after.Generation {
		t.Errorf("the Deployment was changed again: %+v", now)
	}
	now := &corev1.ConfigMap{}
	if err := o.client.Get(t.Context(), client.ObjectKeyFromObject(former), now); err != nil || !equality.Semantic.DeepEqual(now.Data, former.Data) {
		t.Errorf("the former pods have %s (%v)", now.Data, err)
	}
	pod := &corev1.Pod{}
	if err := o.client.Get(t.Context(), o.key("enrich-1"), pod); err != nil || len(pod.Annotations) > 0 {
		t.Errorf("a former pod is annotated: %v (%v)", pod.Annotations, err)
	}
}

// TestPausedExpressions: a pause holds expressions too.
func TestPausedExpressions(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	reloadable(t, o)
	before := o.expressions("enrich")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Annotations = map[string]string{v1alpha1.PausedAnnotation: "true"}
		filter("json.total > 2")(sp)
	})
	o.expect("enrich", "Reconciling", yes, "Paused", "the changes of the spec don't reach the pods")
	o.looksAgain("enrich")
	if now := o.expressions("enrich"); now.ResourceVersion != before.ResourceVersion {
		t.Errorf("the expressions have changed: %s", now.Data)
	}
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Annotations = nil })
	o.askedToReload("enrich-1", o.versionOf("json.total > 2"))
	o.settle("enrich")
	o.expect("enrich", "Reconciling", yes, "ReloadInProgress")
}

// TestOthersExpressionsAreWrittenBack: what somebody else writes into the ConfigMap goes,
// also during a pause.
func TestOthersExpressionsAreWrittenBack(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	before := reloadable(t, o)
	first := o.expressions("enrich")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Annotations = map[string]string{v1alpha1.PausedAnnotation: "true"}
	})
	o.expect("enrich", "RolloutHeld", yes, "Paused")
	o.patch(first.DeepCopy(), `{"data": {"expressions.yaml": "filter: \"false\"\n"}}`)
	o.eventually("the expressions of the spec", func() error {
		if now := o.expressions("enrich"); !equality.Semantic.DeepEqual(now.Data, first.Data) {
			return fmt.Errorf("they are %s", now.Data)
		}
		return nil
	})
	o.expect("enrich", "Reconciling", "", "")
	if now := o.replicas("enrich", 2); now.Generation != before.Generation {
		t.Errorf("the Deployment has changed: %+v", now.Spec)
	}
}

// TestFailingPodsAreReplaced: a pod that crashes again and again would take changed
// expressions over only at its next restart, so it is replaced, once.
func TestFailingPodsAreReplaced(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	before := reloadable(t, o)
	pod := &corev1.Pod{}
	if err := o.client.Get(t.Context(), o.key("enrich-1"), pod); err != nil {
		t.Fatal(err)
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "worker", RestartCount: 4,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 1, Message: "error: a record failed", FinishedAt: metav1.Now(),
		}},
	}}
	if err := o.client.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	o.deployment("enrich", func(d *appsv1.Deployment) error { // as its controller sees the pods
		d.Status.ObservedGeneration, d.Status.ReadyReplicas, d.Status.AvailableReplicas = d.Generation, 1, 1
		return o.client.Status().Update(t.Context(), d)
	})
	o.expect("enrich", "Reconciling", yes, "PodsFailing", "a record failed")
	second := o.changed("json.total > 2")
	after := o.deployment("enrich", func(d *appsv1.Deployment) error {
		if equality.Semantic.DeepEqual(d.Spec.Template, before.Spec.Template) {
			return errors.New("the pods are not replaced")
		}
		return nil
	})
	if fileOf(after) != fileOf(before) || after.Spec.Template.Annotations["millrace.dev/replaced-for"] != second {
		t.Errorf("the template is %+v", after.Spec.Template)
	}
	o.looksAgain("enrich")
	if now := o.replicas("enrich", 2); now.Generation != after.Generation {
		t.Errorf("the pods are replaced again: %+v", now.Spec.Template)
	}
	o.delete(o.expressions("enrich"))
	o.versionOf("json.total > 2")
	o.looksAgain("enrich")
	if now := o.replicas("enrich", 2); now.Generation != after.Generation {
		t.Errorf("the pods are replaced since the ConfigMap was deleted: %+v", now.Spec.Template)
	}
}
