package controllers

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
)

const revisionAnnotation = "deployment.kubernetes.io/revision"

// replicaSet makes the ReplicaSet that the Deployment controller makes for the present
// template.
func (c *testCluster) replicaSet(d *appsv1.Deployment, revision string) *appsv1.ReplicaSet {
	c.Helper()
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: d.Name + "-" + revision, Namespace: d.Namespace, Labels: d.Spec.Template.Labels,
			Annotations:     map[string]string{revisionAnnotation: revision},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}
	c.create(set)
	return set
}

// pod makes a pod with the labels of a StreamProcessor's. It has no controller if owner is
// nil.
func (c *testCluster) pod(d *appsv1.Deployment, name string, owner *appsv1.ReplicaSet, address string) *corev1.Pod {
	c.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: d.Namespace, Labels: d.Spec.Template.Labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "worker", Image: "worker:1"}}},
	}
	if owner != nil {
		pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	}
	c.create(pod)
	pod.Status.PodIP, pod.Status.PodIPs = address, []corev1.PodIP{{IP: address}}
	if err := c.client.Status().Update(c.Context(), pod); err != nil {
		c.Fatal(err)
	}
	return pod
}

// TestOnlyTheDeploymentsPodsAreAsked: the operator asks no other pods, since anybody in
// the namespace may give a pod the same labels.
func TestOnlyTheDeploymentsPodsAreAsked(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	d := o.replicas("enrich", 2)
	o.pod(d, "stranger", nil, "10.0.0.1")
	foreign := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "foreign", Namespace: o.namespace, Labels: d.Spec.Template.Labels},
		Spec:       appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}
	o.create(foreign)
	o.pod(d, "foreign-1", foreign, "10.0.0.2")
	o.pod(d, "former", o.replicaSet(d, "1"), "10.0.0.3")
	o.pod(d, "present", o.replicaSet(d, "2"), "10.0.0.4")
	want := []podwatch.Pod{{Name: "former", Address: "10.0.0.3:8080"}, {Name: "present", Address: "10.0.0.4:8080"}}
	o.eventually("the pods to be asked", func() error {
		o.pods.mu.Lock()
		defer o.pods.mu.Unlock()
		if got := o.pods.pods[o.key("enrich")]; fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%v are asked, want %v", got, want)
		}
		return nil
	})
}

// TestPodMonitorsCanBeSwitchedOff: PodMonitors have the extra labels that a Prometheus
// selects by, and the operator deletes them when they are switched off.
func TestPodMonitorsCanBeSwitchedOff(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	monitor := func() (*unstructured.Unstructured, error) {
		m := &unstructured.Unstructured{}
		m.SetGroupVersionKind(resources.PodMonitorKind)
		return m, w.Get(t.Context(), types.NamespacedName{Namespace: worldKey.Namespace, Name: "enrich-worker"}, m)
	}
	w.restart(func(o *Options) {
		o.Environment.HasPodMonitors, o.Environment.PodMonitors = true, true
		o.Environment.PodMonitorLabels = map[string]string{"release": "prometheus", "app.kubernetes.io/instance": "another"}
	})
	w.reconcile()
	m, err := monitor()
	if err != nil || m.GetLabels()["release"] != "prometheus" || m.GetLabels()["app.kubernetes.io/instance"] != "enrich" {
		t.Errorf("labels %v, error %v", m.GetLabels(), err)
	}
	w.restart(func(o *Options) { o.Environment.HasPodMonitors = true })
	w.reconcile()
	if _, err := monitor(); !apierrors.IsNotFound(err) {
		t.Errorf("after it was switched off: %v", err)
	}
}
