package controllers

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// reloadable makes a StreamProcessor with one pod that reports its expressions, and then
// changes them in the spec.
func (w *world) reloadable() {
	w.Helper()
	w.processor(nil)
	w.reconcile()
	d := &appsv1.Deployment{}
	w.must(w.Get(w.Context(), types.NamespacedName{Namespace: "shop", Name: "enrich-worker"}, d))
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Name: "enrich-worker-1", Namespace: "shop", Labels: d.Spec.Template.Labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
	}}
	w.must(w.Create(w.Context(), set))
	w.must(w.Create(w.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "enrich-1", Namespace: "shop", Labels: d.Spec.Template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1"},
	}))
	w.settle()
	w.runs("former")
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(w.Context(), worldKey, sp))
	sp.Spec.Processor.CEL.Filter = "json.total > 0"
	sp.Generation++
	w.must(w.Update(w.Context(), sp))
}

// runs has the pod report a version.
func (w *world) runs(version string) {
	w.workers(podwatch.Facts{Asked: 1, Answered: 1, Saturation: -1, Expressions: []podwatch.Expressions{{Pod: "enrich-1", Version: version}}})
}

// asked returns the annotations of the pod.
func (w *world) asked() (version string, at time.Time) {
	w.Helper()
	pod := &corev1.Pod{}
	w.must(w.Get(w.Context(), types.NamespacedName{Namespace: "shop", Name: "enrich-1"}, pod))
	return resources.AskedToReload(pod)
}

// TestKubeletsAreAskedAgain: a pod that still runs the former expressions is annotated
// again after a while, in case that its kubelet came too early, and no more once it runs
// the new ones.
func TestKubeletsAreAskedAgain(t *testing.T) {
	w := newWorld(t, 1)
	w.reloadable()
	wanted := w.next().Expressions.Version
	version, first := w.asked()
	if version != wanted || first.IsZero() {
		t.Fatalf("the pod is asked for %q, not %q", version, wanted)
	}
	w.next()
	if _, at := w.asked(); !at.Equal(first) {
		t.Errorf("it is asked again after %v", at.Sub(first))
	}
	w.clock.SetTime(first.Add(reloadPause))
	w.next()
	_, second := w.asked()
	if !second.Equal(first.Add(reloadPause)) {
		t.Errorf("it is asked again at %v, first at %v", second, first)
	}
	w.runs(wanted)
	w.clock.SetTime(second.Add(2 * reloadPause))
	if s := w.next(); s.Expressions.UpdatedPods != 1 {
		t.Errorf("the status has %+v", s.Expressions)
	}
	if _, at := w.asked(); !at.Equal(second) {
		t.Error("it is asked again although it runs the expressions")
	}
}

// TestKubeletsAreNotAskedForEver: a pod that never takes the change over is annotated until
// the change is Stalled. From then on the operator writes nothing.
func TestKubeletsAreNotAskedForEver(t *testing.T) {
	w := newWorld(t, 1)
	w.reloadable()
	for range 20 {
		w.clock.SetTime(w.clock.Now().Add(reloadPause))
		if condition(w.next(), "Stalled", "ReloadInProgress") != "" {
			break
		}
	}
	_, last := w.asked()
	if took := last.Sub(time.Unix(1000, 0)); took < 2*reloadPause || condition(w.status(), "Stalled", "ReloadInProgress") == "" {
		t.Fatalf("it was asked for %v; the conditions are %+v", took, w.status().Conditions)
	}
	for range 5 {
		w.clock.SetTime(w.clock.Now().Add(reloadPause))
		w.next()
	}
	if _, at := w.asked(); !at.Equal(last) {
		t.Errorf("it is asked again after %v", at.Sub(last))
	}
}

// TestPodsThatCantBeAnnotated: their kubelets take the change over by themselves, so the
// reconciliation goes on.
func TestPodsThatCantBeAnnotated(t *testing.T) {
	for name, failure := range map[string]error{
		"forbidden":       apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "enrich-1", errInjected),
		"gone":            apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "enrich-1"),
		"a stale cache":   apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "enrich-1", errInjected),
		"another failure": errInjected,
	} {
		w := newWorld(t, 1)
		w.reloadable()
		w.intercept(interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if _, ok := o.(*corev1.Pod); ok {
				return failure
			}
			return c.Patch(ctx, o, p, opts...)
		}})
		result, err := w.r.Reconcile(ctrl.LoggerInto(t.Context(), logr.Discard()), ctrl.Request{NamespacedName: worldKey})
		if (err != nil) != (name == "another failure") || err == nil && (result.RequeueAfter == 0 || result.RequeueAfter > reloadPause) {
			t.Errorf("%s: error %v, again in %v", name, err, result.RequeueAfter)
		}
		if condition(w.status(), "Reconciling", "ReloadInProgress") == "" {
			t.Errorf("%s: the conditions are %+v", name, w.status().Conditions)
		}
	}
}
