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
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// aTemplate has many of the settings that clusters demand of pods.
const aTemplate = `{
	"serviceAccountName": "enrich", "automountServiceAccountToken": true, "priorityClassName": "batch", "runtimeClassName": "gvisor",
	"hostNetwork": true, "dnsPolicy": "ClusterFirstWithHostNet", "schedulerName": "other", "terminationGracePeriodSeconds": 60,
	"securityContext": {"runAsUser": 1000, "fsGroup": 1000, "sysctls": []},
	"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}, "podAntiAffinity": {}},
	"tolerations": [{"key": "dedicated", "operator": "Exists"}, {"key": "dedicated", "effect": "NoSchedule", "value": "a"}],
	"topologySpreadConstraints": [
		{"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1, "labelSelector": {"matchLabels": {"a": "b"}}},
		{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 3, "labelSelector": {}}],
	"imagePullSecrets": [{"name": "registry"}], "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
	"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}],
	"volumes": [
		{"name": "models", "emptyDir": {"sizeLimit": "0.5"}},
		{"name": "claim", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500u"}}}}}},
		{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]}}],
	"initContainers": [
		{"name": "fetch", "image": "fetch@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "resources": {"limits": {"cpu": "0.0001"}}, "volumeMounts": [{"name": "models", "mountPath": "/models"}]},
		{"name": "proxy", "image": "proxy", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 15021}}}],
	"containers": [
		{"name": "worker",
			"env": [{"name": "A", "value": ""}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "C", "value": "$(A)"}],
			"envFrom": [{"configMapRef": {"name": "a"}, "prefix": ""}],
			"resources": {"requests": {"cpu": "100500u", "memory": "128.5Mi"}, "limits": {"cpu": 2, "memory": "1e9", "example.com/gpu": "1"}, "claims": [{"name": "gpu"}]},
			"ports": [{"containerPort": 6060, "name": "pprof"}],
			"startupProbe": {"exec": {"command": ["ready"]}}, "livenessProbe": {"initialDelaySeconds": 0},
			"securityContext": {"runAsGroup": 1000, "capabilities": {"add": []}},
			"volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": false}]},
		{"name": "agent", "image": "agent:1", "command": [], "ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}], "lifecycle": {}}]
}`

// TestTemplateMakesAPod: the API server accepts the template, and the operator does not
// write it again although the API server has added defaults.
func TestTemplateMakesAPod(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Template = overlay(aTemplate) })
	o.replicas("enrich", 2)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	o.staysUnwritten("enrich")
}

// TestASidecarMakesAPod: the API server takes the processor's container as a native sidecar,
// and the operator does not write it again.
func TestASidecarMakesAPod(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Processor = v1alpha1.ProcessorSpec{Sidecar: &v1alpha1.SidecarSpec{
			Image: "classify:1", Batch: &v1alpha1.SidecarBatchSpec{MaxRecords: new(int32(64))},
			Env: []corev1.EnvVar{
				{Name: "MODEL", Value: "small"},
				{Name: "NODE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}},
			},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128.5Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("1Gi")},
			},
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80}, {Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP}},
		}}
		sp.Spec.Template = overlay(`{"initContainers": [{"name": "processor", "env": [{"name": "NODE", "value": "any"}],
			"resources": {"limits": {"cpu": "2"}}, "ports": [{"name": "other-http", "containerPort": 80}, {"name": "grpc", "containerPort": 81}]}]}`)
	})
	d := o.replicas("enrich", 2)
	pod := d.Spec.Template.Spec
	if len(pod.InitContainers) != 1 || pod.InitContainers[0].Image != "classify:1" || *pod.InitContainers[0].RestartPolicy != corev1.ContainerRestartPolicyAlways {
		t.Fatalf("the pod's init containers are %+v", pod.InitContainers)
	}
	var names []string
	for _, p := range pod.InitContainers[0].Ports {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "dns grpc other-http" {
		t.Errorf("the ports are %s", got)
	}
	if r := pod.InitContainers[0].Resources; r.Limits.Cpu().String() != "2" || r.Limits.Memory().String() != "1Gi" {
		t.Errorf("the resources are %+v", r)
	}
	for _, want := range []corev1.EnvVar{{Name: "MODEL", Value: "small"}, {Name: "NODE", Value: "any"}, {Name: "MILLRACE_PROCESSES", Value: "2"}} {
		if !slices.Contains(pod.InitContainers[0].Env, want) {
			t.Errorf("the variables are %+v, want %+v", pod.InitContainers[0].Env, want)
		}
	}
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	o.staysUnwritten("enrich")
}

// staysUnwritten has a StreamProcessor reconciled many times, and fails the test if the
// operator writes its Deployment again.
func (o *operator) staysUnwritten(name string) {
	o.Helper()
	applied := func() int {
		n := 0
		for _, w := range o.api.Writes(o.T, o.user) {
			if w.Resource == "deployments" && w.Name == name+"-worker" {
				n++
			}
		}
		return n
	}
	before, looks := applied(), o.kafka.looks(o.key(name))
	o.eventually("many looks at "+name, func() error {
		o.kafka.wakeAll()
		if n := o.kafka.looks(o.key(name)) - looks; n < 20 {
			return fmt.Errorf("%d looks: %w", n, errUnsettled)
		}
		return nil
	})
	if n := applied() - before; n > 0 {
		o.Errorf("the Deployment of %s was applied %d times more", name, n)
	}
}

// TestAdmissionHasTheLastWord: the operator accepts the changes that admission makes to a
// Deployment, and reverts those of others.
func TestAdmissionHasTheLastWord(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.api.Requires(t, 36, "version v1 of MutatingAdmissionPolicy")
	o.alwaysPull()
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Template = overlay(`{"containers": [{"name": "worker", "imagePullPolicy": "Never"}]}`)
	})
	d := o.replicas("enrich", 2)
	if policy := d.Spec.Template.Spec.Containers[0].ImagePullPolicy; policy != corev1.PullAlways {
		t.Fatalf("admission does not work: %s", policy)
	}
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	o.staysUnwritten("enrich")
	o.patch(d, `{"spec": {"template": {"spec": {"containers": [{"name": "worker", "image": "other:2"}]}}}}`)
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if image := d.Spec.Template.Spec.Containers[0].Image; image != "worker:1" {
			return errors.New(image)
		}
		return nil
	})
	o.patch(d, `{"metadata": {"labels": {"app.kubernetes.io/name": "other"}}}`)
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if name := d.Labels["app.kubernetes.io/name"]; name != "streamprocessor" {
			return errors.New(name)
		}
		return nil
	})
}

// alwaysPull has admission set imagePullPolicy Always in the Deployments of the
// namespace.
func (o *operator) alwaysPull() {
	o.Helper()
	policy := &admissionv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: o.namespace},
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: o.namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}},
				}}},
			},
			Mutations: []admissionv1.Mutation{{
				PatchType: admissionv1.PatchTypeJSONPatch,
				JSONPatch: &admissionv1.JSONPatch{Expression: `[JSONPatch{op: "add", path: "/spec/template/spec/containers/0/imagePullPolicy", value: "Always"}]`},
			}},
		},
	}
	binding := &admissionv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: o.namespace},
		Spec:       admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: o.namespace},
	}
	for _, object := range []client.Object{policy, binding} {
		o.create(object)
		o.Cleanup(func() { _ = o.client.Delete(context.Background(), object) })
	}
	o.eventually("the policy to be in force", func() error {
		labels := map[string]string{"app": "probe"}
		probe := &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: o.namespace},
			Spec: appsv1.DeploymentSpec{
				Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labels},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a:1"}}},
				},
			},
		}
		if err := o.client.Create(o.Context(), probe, client.DryRunAll); err != nil {
			return err
		}
		if probe.Spec.Template.Spec.Containers[0].ImagePullPolicy != corev1.PullAlways {
			return errUnsettled
		}
		return nil
	})
}

// TestTemplateThatCannotBe: the status names the field, running pods go on, and other
// StreamProcessors don't notice.
func TestTemplateThatCannotBe(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	d := o.replicas("enrich", 2)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	for _, c := range []struct{ template, words string }{
		{`{"containers": [{"name": "worker", "imge": "a"}]}`, "spec.template.spec.containers[0].imge"},
		{`{"nodeSelector": "fast"}`, "spec.template.spec.nodeSelector: "},
		{`{"containers": [{"image": "a"}, {"image": "b"}]}`, "spec.template.spec.containers[1].name: it is not set"},
		{`{"containers": [{"name": "worker", "resources": {"limits": {"cpu": "1e-999999999"}}}]}`, "spec.template.spec.containers[0].resources.limits.cpu: "},
		{`{"terminationGracePeriodSeconds": 5}`, "spec.template.spec.terminationGracePeriodSeconds: 5 s are too few"},
		{`{"initContainers": [{"name": "other", "image": "a", "restartPolicy": "Always", "ports": [{"containerPort": 8080}]}]}`, "spec.template.spec.initContainers[0].ports[0]: port 8080 and the name"},
		{`{"containers": [{"name": "worker", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]}`, "spec.template.spec.containers[0].resources.requests.cpu: 2 is above the limit of 1"},
		// What only the API server knows, it says by the same paths.
		{`{"containers": [{"name": "sidecar"}]}`, "spec.template.spec.containers[0].image: Required value"},
		{`{"restartPolicy": "Never"}`, "spec.template.spec.restartPolicy: "},
		{`{"volumes": [{"name": "a", "emptyDir": {}, "hostPath": {"path": "/"}}]}`, "spec.template.spec.volumes[0].hostPath: "},
		{`{"containers": [{"name": "sidecar", "image": "a", "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "TCP"}]}]}`, "duplicate entries for key"},
		{`{"containers": [{"name": "worker", "resources": {"claims": [{"name": "a"}, {"name": "a"}]}}]}`, "duplicate entries for key"},
	} {
		o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Template = overlay(c.template) })
		o.expect("enrich", "Stalled", yes, "InvalidSpec", c.words)
	}
	o.processor("other")
	o.replicas("other", 2)
	if now := o.replicas("enrich", 2); now.Generation != d.Generation {
		t.Errorf("the operator changed running pods: %+v", now.Spec)
	}
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Template = overlay(`{"priorityClassName": "batch"}`) })
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if name := d.Spec.Template.Spec.PriorityClassName; name != "batch" {
			return fmt.Errorf("priority class %q: %w", name, errUnsettled)
		}
		return nil
	})
}

// TestSuspendStopsWhateverTheTemplate: spec.suspend stops the pods although the operator
// or the API server refuses the template.
func TestSuspendStopsWhateverTheTemplate(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	for name, template := range map[string]string{
		"operator-says-no":   `{"containers": [{"name": "worker", "imge": "a"}]}`,
		"api-server-says-no": `{"restartPolicy": "Never"}`,
	} {
		o.processor(name)
		before := o.runs(name, 2)
		o.update(name, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Template = overlay(template) })
		o.expect(name, "Stalled", yes, "InvalidSpec")
		o.update(name, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = true })
		if d := o.replicas(name, 0); fileOf(d) != fileOf(before) {
			t.Errorf("%s: its pods get another template", name)
		}
		o.update(name, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend, sp.Spec.Template = false, nil })
		o.replicas(name, 2)
		o.expect(name, "Stalled", "", "")
	}
}
