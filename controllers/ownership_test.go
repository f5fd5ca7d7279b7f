package controllers

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// TestDrift: the operator reverts others' changes of its fields, and keeps the fields that
// they add.
func TestDrift(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	d := o.replicas("enrich", 2)
	o.patch(d, `{"metadata": {"annotations": {"theirs": "1"}}, "spec": {"replicas": 5, "template": {"spec": {"containers": [{"name": "worker", "image": "other:2"}]}}}}`)
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		image := d.Spec.Template.Spec.Containers[0].Image
		if *d.Spec.Replicas != 2 || image != "worker:1" {
			return fmt.Errorf("%d pods of %s", *d.Spec.Replicas, image)
		}
		if d.Annotations["theirs"] != "1" {
			t.Error("another's annotation is gone")
		}
		return nil
	})
	config := o.file("enrich")
	o.delete(config)
	o.eventually("a new ConfigMap", func() error { return o.client.Get(o.Context(), client.ObjectKeyFromObject(config), config) })
	o.patch(config, `{"metadata": {"labels": {"app.kubernetes.io/name": "x"}}}`)
	o.eventually("its label", func() error {
		if err := o.client.Get(o.Context(), client.ObjectKeyFromObject(config), config); err != nil {
			return err
		}
		if config.Labels["app.kubernetes.io/name"] == "x" {
			return errors.New("it is still the other's")
		}
		return nil
	})
}

// TestRemovedFieldsAndObjectsGo: fields that leave the configuration go by server-side
// apply, and the operator deletes objects that are switched off.
func TestRemovedFieldsAndObjectsGo(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Template = overlay(`{"containers": [{"name": "worker", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}`)
	})
	env := func(want ...string) func(*appsv1.Deployment) error {
		return func(d *appsv1.Deployment) error {
			var names []string
			for _, e := range d.Spec.Template.Spec.Containers[0].Env {
				names = append(names, e.Name)
			}
			if !slices.Equal(names, want) {
				return fmt.Errorf("env %v, want %v", names, want)
			}
			return nil
		}
	}
	o.deployment("enrich", env("A", "B"))
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Template = overlay(`{"containers": [{"name": "worker", "env": [{"name": "A", "value": "1"}]}]}`)
	})
	o.deployment("enrich", env("A"))

	policy := &networkingv1.NetworkPolicy{}
	o.run(plan.Environment{WorkerImage: "worker:2", NetworkPolicies: true})
	o.eventually("a NetworkPolicy", func() error { return o.client.Get(o.Context(), o.key("enrich-worker"), policy) })
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if image := d.Spec.Template.Spec.Containers[0].Image; image != "worker:2" {
			return errors.New(image)
		}
		return nil
	})
	o.run(plan.Environment{WorkerImage: "worker:2"})
	o.eventually("no NetworkPolicy", func() error {
		if err := o.client.Get(o.Context(), o.key("enrich-worker"), policy); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %w", errors.Join(err, errUnsettled))
		}
		return nil
	})
}

// TestDeletion: with DeleteGroup the operator deletes the group after the pods; without
// it, a StreamProcessor goes at once.
func TestDeletion(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	kept := o.processor("kept")
	dropped := o.processor("dropped", func(sp *v1alpha1.StreamProcessor) { sp.Spec.DeletionPolicy = v1alpha1.DeleteGroup })
	o.replicas("kept", 2)
	o.replicas("dropped", 2)
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "worker", Image: "worker:1"}}}}
	pod.Name, pod.Namespace, pod.Labels = "dropped-1", o.namespace, o.replicas("dropped", 2).Spec.Template.Labels
	o.create(pod)
	o.delete(kept)
	o.gone(kept)
	o.delete(dropped)
	o.expect("dropped", "Ready", no, "Deleting", "when the last pod is gone")
	o.kafka.mu.Lock()
	if o.kafka.asked > 0 {
		t.Error("the group was to be deleted while a pod was there")
	}
	o.kafka.deletion.Err = errNoBroker
	o.kafka.mu.Unlock()
	if err := o.client.Delete(o.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	o.expect("dropped", "Ready", no, "Deleting", "connection refused", "KeepGroup")
	o.kafka.mu.Lock()
	o.kafka.deletion.Done = true
	o.kafka.mu.Unlock()
	o.kafka.wake(o.key("dropped"))
	o.gone(dropped)
	o.kafka.mu.Lock()
	defer o.kafka.mu.Unlock()
	if want := "millrace-" + o.namespace + ".dropped"; !slices.Equal(o.kafka.deleted, []string{want}) {
		t.Errorf("deleted groups: %q, want %q", o.kafka.deleted, want)
	}
}

// TestSuccessor: the operator waits until the objects of an earlier StreamProcessor with
// the same name are gone. It does not take them over: their pods have another
// configuration, and the garbage collector is about to delete them.
func TestSuccessor(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	first := o.processor("enrich")
	old := o.replicas("enrich", 2)
	o.delete(first)
	o.gone(first)
	o.processor("enrich", wantsReplicas(3))
	o.expect("enrich", "Ready", no, "Draining", "Deployment enrich-worker", "earlier")
	seen := len(o.api.Writes(t, o.user))
	for range 20 {
		o.kafka.wakeAll()
		o.expect("enrich", "Ready", no, "Draining", "ConfigMap enrich-worker-", ", Deployment enrich-worker, PodDisruptionBudget")
	}
	for _, write := range o.api.Writes(t, o.user)[seen:] {
		if write.Subresource == "status" {
			t.Errorf("the status is written again though nothing has changed, at %v", write.At)
		}
	}
	if d := o.replicas("enrich", 2); d.UID != old.UID || d.Generation != old.Generation {
		t.Errorf("it was taken over: %+v", d.ObjectMeta)
	}
	// This API server has no garbage collector.
	o.delete(o.expressions("enrich"))
	o.delete(o.file("enrich"))
	for _, object := range []client.Object{&appsv1.Deployment{}, &corev1.ServiceAccount{}, &corev1.Service{}, &policyv1.PodDisruptionBudget{}} {
		object.SetName("enrich-worker")
		object.SetNamespace(o.namespace)
		o.delete(object)
	}
	o.replicas("enrich", 3)
}

// TestPodMonitor: the operator creates a PodMonitor if the API server serves the kind.
func TestPodMonitor(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	crd := podMonitorCRD()
	o.create(crd)
	defer func() { // the server outlives the test
		o.delete(crd)
		o.gone(crd)
	}()
	monitor := &unstructured.Unstructured{}
	monitor.SetGroupVersionKind(resources.PodMonitorKind)
	o.eventually("the kind to be served", func() error {
		return o.client.List(o.Context(), &unstructured.UnstructuredList{Object: map[string]any{
			"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitorList",
		}})
	})
	o.run(plan.Environment{WorkerImage: "worker:1", PodMonitors: true})
	sp := o.processor("enrich")
	o.eventually("a PodMonitor", func() error { return o.client.Get(o.Context(), o.key("enrich-worker"), monitor) })
	port, _, _ := unstructured.NestedSlice(monitor.Object, "spec", "podMetricsEndpoints")
	if !metav1.IsControlledBy(monitor, sp) || len(port) != 1 {
		t.Errorf("%v", monitor.Object)
	}
}

// podMonitorCRD is the part of the Prometheus operator's CRD that the operator uses.
func podMonitorCRD() *apiextensionsv1.CustomResourceDefinition {
	kind := resources.PodMonitorKind
	crd := &apiextensionsv1.CustomResourceDefinition{Spec: apiextensionsv1.CustomResourceDefinitionSpec{
		Group: kind.Group, Scope: apiextensionsv1.NamespaceScoped,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "podmonitors", Singular: "podmonitor", Kind: kind.Kind, ListKind: "PodMonitorList"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: kind.Version, Served: true, Storage: true,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
				Type: "object", XPreserveUnknownFields: new(true),
			}},
		}},
	}}
	crd.Name = "podmonitors." + kind.Group
	return crd
}

// TestSharedGroupIsKept: deleting one of two StreamProcessors that claim a group does not
// delete the other's offsets.
func TestSharedGroupIsKept(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.kafka.mu.Lock()
	o.kafka.deletion.Done = true // at once, if it were asked for
	o.kafka.mu.Unlock()
	shared := func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Input.GroupID = new("shared")
		sp.Spec.DeletionPolicy = v1alpha1.DeleteGroup
	}
	one, other := o.processor("one", shared), o.processor("other", shared)
	o.hasFinalizer(one)
	o.hasFinalizer(other)
	o.delete(other)
	o.gone(other)
	o.event("other", "GroupKept")
	o.delete(one)
	o.gone(one)
	o.kafka.mu.Lock()
	defer o.kafka.mu.Unlock()
	if !slices.Equal(o.kafka.deleted, []string{"shared"}) {
		t.Errorf("deleted groups: %q; want the last one's only", o.kafka.deleted)
	}
}

func (c *testCluster) hasFinalizer(sp *v1alpha1.StreamProcessor) {
	c.Helper()
	c.eventually("the finalizer of "+sp.Name, func() error {
		if err := c.client.Get(c.Context(), client.ObjectKeyFromObject(sp), sp); err != nil {
			return err
		}
		if len(sp.Finalizers) == 0 {
			return errUnsettled
		}
		return nil
	})
}

func (c *testCluster) delete(object client.Object) {
	c.Helper()
	if err := c.client.Delete(c.Context(), object); err != nil {
		c.Fatal(err)
	}
}

func (c *testCluster) gone(object client.Object) {
	c.Helper()
	c.eventually(object.GetName()+" to be gone", func() error {
		if err := c.client.Get(c.Context(), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %w", errors.Join(err, errUnsettled))
		}
		return nil
	})
}

func (c *testCluster) patch(object client.Object, patch string) {
	c.Helper()
	if err := c.client.Patch(c.Context(), object, client.RawPatch("application/strategic-merge-patch+json", []byte(patch))); err != nil {
		c.Fatal(err)
	}
}
