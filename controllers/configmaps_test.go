package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// TestPodsKeepTheirFile: a new configuration goes into a new ConfigMap. The earlier one
// stays while a ReplicaSet or a pod refers to it.
func TestPodsKeepTheirFile(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	before := o.file("enrich")
	if before.Immutable == nil || !*before.Immutable {
		t.Errorf("ConfigMap %s can be changed", before.Name)
	}
	d := o.replicas("enrich", 2)
	set := o.replicaSet(d, "1")
	pod := o.pod(d, "enrich-1", set, "10.0.0.1")
	o.settle("enrich")

	after := o.reconfigure("enrich")
	if after == before.Name {
		t.Fatalf("the new configuration is in ConfigMap %s too", after)
	}
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	o.delete(set)
	o.kafka.wakeAll()
	if names := o.files("enrich"); !slices.Equal(names, sorted(before.Name, before.Name+"-expressions", after, after+"-expressions")) {
		t.Fatalf("ConfigMaps %q; want that of the pod as well", names)
	}
	if err := o.client.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	o.eventually("the old ConfigMap to go", func() error {
		if names := o.files("enrich"); !slices.Equal(names, sorted(after, after+"-expressions")) {
			return fmt.Errorf("there are %q", names)
		}
		return nil
	})
}

// TestConfigMapRefused: while the API server refuses the ConfigMap, the pods keep their
// file, and their number follows the spec. The operator notices the end of the refusal
// by itself.
func TestConfigMapRefused(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	before := o.replicas("enrich", 2)
	end := o.refuseConfigMaps("marker")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Output.Topic = "marker"
		sp.Spec.Replicas = new(int32(3))
	})
	o.expect("enrich", "Ready", no, "Refused", "ConfigMap enrich-worker-", "no marker")
	after := o.replicas("enrich", 3)
	if fileOf(after) != fileOf(before) {
		t.Errorf("the pods refer to %s, which does not exist", fileOf(after))
	}
	end()
	o.eventually("the new file", func() error {
		o.kafka.wakeAll()
		d := o.replicas("enrich", 3)
		if fileOf(d) == fileOf(before) {
			return errors.New("the pods have the old one")
		}
		return o.client.Get(t.Context(), o.key(fileOf(d)), &corev1.ConfigMap{})
	})
	if data := o.file("enrich").Data["worker.yaml"]; !strings.Contains(data, "marker") {
		t.Errorf("the file is\n%s", data)
	}
}

// TestNoPodStartsWithAFormerFile: a StreamProcessor that was changed while it was
// suspended starts no pod with its former configuration.
func TestNoPodStartsWithAFormerFile(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	o.runs("enrich", 2)
	o.update("enrich", suspended)
	before := o.replicas("enrich", 0)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Suspended")
	end := o.refuseConfigMaps("marker")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Input.Topic, sp.Spec.Output.Topic = "others", "marker"
	})
	o.expect("enrich", "Ready", no, "Refused", "no marker")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = false })
	o.expect("enrich", "Ready", no, "Refused", "no marker")
	o.looksAgain("enrich")
	if d := o.replicas("enrich", 0); d.Generation != before.Generation {
		t.Errorf("it was changed: %+v", d.Spec)
	}
	end()
	o.eventually("pods with the new file", func() error {
		o.kafka.wakeAll()
		if d := o.deployment("enrich", func(*appsv1.Deployment) error { return nil }); *d.Spec.Replicas != 2 || fileOf(d) == fileOf(before) {
			return errUnsettled
		}
		return nil
	})
}

// TestAWebhookThatDoesNotAnswer: the status reports the webhook, and the operator does
// not retry at each reconciliation.
func TestAWebhookThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	hook := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "away-" + o.namespace}}
	hook.Webhooks = []admissionv1.ValidatingWebhook{{
		Name:                    "policy.example.com",
		ClientConfig:            admissionv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/")},
		FailurePolicy:           new(admissionv1.Fail),
		SideEffects:             new(admissionv1.SideEffectClassNone),
		AdmissionReviewVersions: []string{"v1"},
		NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": o.namespace}},
		Rules: []admissionv1.RuleWithOperations{{
			Operations: []admissionv1.OperationType{"CREATE"},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
		}},
	}}
	o.create(hook)
	o.Cleanup(func() { _ = o.client.Delete(context.Background(), hook) })
	o.eventually("the webhook to be asked", func() error {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: o.namespace}}
		if o.client.Create(o.Context(), probe) == nil {
			return errUnsettled
		}
		return nil
	})
	o.processor("enrich")
	o.expect("enrich", "Ready", no, "Refused", "ConfigMap enrich-worker-", "policy.example.com")
	o.expect("enrich", "Reconciling", yes, "Refused")
}

// looksAgain waits for another reconciliation of a StreamProcessor.
func (o *operator) looksAgain(name string) {
	o.Helper()
	before := o.kafka.looks(o.key(name))
	o.eventually("another look at "+name, func() error {
		o.kafka.wakeAll()
		if o.kafka.looks(o.key(name)) < before+2 {
			return errUnsettled
		}
		return nil
	})
}

// refuseConfigMaps has the API server refuse ConfigMaps with a word in their file until
// the test calls the returned function.
func (o *operator) refuseConfigMaps(word string) func() {
	o.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{Spec: admissionv1.ValidatingAdmissionPolicySpec{
		FailurePolicy: new(admissionv1.Fail),
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{"CREATE", "UPDATE"},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
		}}}},
		Validations: []admissionv1.Validation{{Expression: fmt.Sprintf("!('worker.yaml' in object.data) || !object.data['worker.yaml'].contains(%q)", word), Message: "no " + word}},
	}}
	policy.Name = "refuse-" + o.namespace
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{"Deny"},
		MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": o.namespace}}},
	}}
	binding.Name = policy.Name
	o.create(policy)
	o.create(binding)
	o.eventually("the policy to work", func() error {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: o.namespace}, Data: map[string]string{"worker.yaml": word}}
		if o.client.Create(o.Context(), probe) == nil {
			return errors.New("it does not")
		}
		return nil
	})
	return func() {
		o.delete(binding)
		o.delete(policy)
	}
}

// reconfigure changes the configuration, and returns the name of the new ConfigMap.
func (o *operator) reconfigure(name string) string {
	o.Helper()
	before := fileOf(o.deployment(name, func(*appsv1.Deployment) error { return nil }))
	o.update(name, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Ordering = v1alpha1.Key })
	return fileOf(o.deployment(name, func(d *appsv1.Deployment) error {
		if fileOf(d) == before {
			return errors.New("the old file")
		}
		return nil
	}))
}

// files returns the names of a StreamProcessor's ConfigMaps.
func (c *testCluster) files(name string) []string {
	c.Helper()
	var list corev1.ConfigMapList
	if err := c.client.List(c.Context(), &list, client.InNamespace(c.namespace), client.MatchingLabels(resources.Selector(name))); err != nil {
		c.Fatal(err)
	}
	var names []string
	for _, cm := range list.Items {
		names = append(names, cm.Name)
	}
	return sorted(names...)
}

func sorted(names ...string) []string { return slices.Sorted(slices.Values(names)) }
