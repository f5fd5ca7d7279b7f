package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// sized changes a StreamProcessor to two pods of 200m, which may get 800m.
func sized(sp *v1alpha1.StreamProcessor) {
	sp.Spec.Replicas = nil
	sp.Spec.Autoscaling = &v1alpha1.AutoscalingSpec{
		MinReplicas: 2, MaxReplicas: 2, TargetLag: &metav1.Duration{Duration: 30 * time.Second},
		Vertical: &v1alpha1.VerticalScaling{MaxCPU: resource.MustParse("800m"), Step: new(resource.MustParse("200m"))},
	}
	sp.Spec.Template = overlay(`{"containers": [{"name": "worker", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m"}}}]}`)
}

// behind gives Kafka a history of three minutes in which all partitions got four times as
// many records as the pods processed.
func (f *fakeKafka) behind(partitions int, until time.Time) {
	f.mu.Lock()
	f.history = nil
	for at := -3 * time.Minute; at <= 0; at += 5 * time.Second {
		done := int64(25 * (at + 3*time.Minute).Seconds())
		sample := kafkawatch.Sample{At: until.Add(at)}
		for range partitions {
			sample.Partitions = append(sample.Partitions, kafkawatch.Partition{End: 4 * done, Committed: done})
		}
		f.history = append(f.history, sample)
	}
	f.mu.Unlock()
	f.wakeAll()
}

// running makes a running pod, in the place of the ReplicaSet's controller, the scheduler
// and the kubelet.
func (o *operator) running(d *appsv1.Deployment, set *appsv1.ReplicaSet, name string) *corev1.Pod {
	o.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: d.Namespace, Labels: d.Spec.Template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: *d.Spec.Template.Spec.DeepCopy(),
	}
	pod.Spec.NodeName = o.namespace // as node names it
	o.create(pod)
	o.actuate(pod, nil)
	return pod
}

// actuate sets a pod's status as the kubelet does when it has changed the CPU, or can't.
func (o *operator) actuate(pod *corev1.Pod, pending *corev1.PodCondition) {
	o.Helper()
	o.eventually("the status of pod "+pod.Name, func() error {
		if err := o.client.Get(o.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		pod.Status.Phase = corev1.PodRunning
		pod.Status.Conditions = nil
		if pending != nil {
			pod.Status.Conditions = []corev1.PodCondition{*pending}
		} else {
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
				Name: "worker", Ready: true, Resources: &pod.Spec.Containers[0].Resources,
			}}
		}
		return o.client.Status().Update(o.Context(), pod)
	})
}

// cpuOf waits until a pod's spec asks for so much CPU.
func (o *operator) cpuOf(pod *corev1.Pod, request, limit string) {
	o.Helper()
	uid := pod.UID
	o.eventually("the CPU of pod "+pod.Name, func() error {
		if err := o.client.Get(o.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		r := pod.Spec.Containers[0].Resources
		if r.Requests.Cpu().String() != request || r.Limits.Cpu().String() != limit || r.Requests.Memory().String() != "64Mi" || pod.UID != uid {
			return fmt.Errorf("it asks for %v, with a limit of %v", r.Requests, r.Limits)
		}
		return nil
	})
}

// sees waits until the status says that so many ready pods have the decided CPU.
func (o *operator) sees(name, cpu string, pods int32) {
	o.Helper()
	o.eventually(fmt.Sprintf("%d pods of %s with %s", pods, name, cpu), func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := o.client.Get(o.Context(), o.key(name), sp); err != nil {
			return err
		}
		v := sp.Status.Vertical
		if v == nil || v.CPU.String() != cpu || v.ResizedReplicas != pods || sp.Status.ReadyReplicas != pods {
			return fmt.Errorf("it is %+v, and %d are ready", v, sp.Status.ReadyReplicas)
		}
		return nil
	})
}

// decided waits for a decision of one of the reasons.
func (o *operator) decided(name string, reasons ...string) *v1alpha1.ScaleDecision {
	o.Helper()
	sp := &v1alpha1.StreamProcessor{}
	o.eventually(fmt.Sprintf("a decision %q", reasons), func() error {
		if err := o.client.Get(o.Context(), o.key(name), sp); err != nil {
			return err
		}
		if d := sp.Status.LastScaleDecision; d == nil || !slices.Contains(reasons, d.Reason) {
			return fmt.Errorf("it is %+v", d)
		}
		return nil
	})
	return sp.Status.LastScaleDecision
}

// decidedByNow returns the last decision in a status about the present spec.
func (o *operator) decidedByNow(name string) *v1alpha1.ScaleDecision {
	o.Helper()
	sp := &v1alpha1.StreamProcessor{}
	o.eventually("a status about the present spec", func() error {
		if err := o.client.Get(o.Context(), o.key(name), sp); err != nil {
			return err
		}
		if seen := sp.Status.ObservedGeneration; seen != sp.Generation || sp.Status.LastScaleDecision == nil {
			return fmt.Errorf("it is about generation %d, not %d", seen, sp.Generation)
		}
		return nil
	})
	return sp.Status.LastScaleDecision
}

// node makes a node with so much CPU and returns its name. The API server compares the
// requests of pods with it.
func (c *testCluster) node(cpu string) string {
	c.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}
	c.create(node)
	node.Status.Allocatable = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("100"),
	}
	if err := c.client.Status().Update(c.Context(), node); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = c.client.Delete(context.Background(), node) })
	return node.Name
}

// sizedPods makes two pods of a StreamProcessor that is behind, on a node with so much CPU.
func (o *operator) sizedPods(cpu string) (d *appsv1.Deployment, set *appsv1.ReplicaSet, a, b *corev1.Pod) {
	o.Helper()
	o.node(cpu)
	o.processor("enrich", sized)
	d = o.replicas("enrich", 2)
	o.settle("enrich")
	set = o.replicaSet(d, "1")
	a, b = o.running(d, set, "a"), o.running(d, set, "b")
	o.sees("enrich", "200m", 2) // before what Kafka tells is put beside the pods
	o.kafka.behind(6, time.Now())
	return d, set, a, b
}

// TestPodsAreResizedInPlace: the operator resizes the present pods without a change of the
// template, and new pods as soon as it sees them.
func TestPodsAreResizedInPlace(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	d, set, a, b := o.sizedPods("4")
	o.cpuOf(a, "400m", "800m")
	o.cpuOf(b, "400m", "800m")
	// While the pods' CPU changes, the status keeps the decision.
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Autoscaling.TargetLag.Duration += time.Second })
	decision := o.decidedByNow("enrich")
	if c := decision.CPU; decision.Reason != "MorePodsDoNotHelp" || c == nil || c.From.String() != "200m" || c.To.String() != "800m" ||
		decision.From != 2 || decision.To != 2 {
		t.Errorf("the decision: %+v", decision)
	}
	o.eventSays("enrich", "Resized", "each pod gets 800m of CPU instead of 200m")
	after := o.replicas("enrich", 2)
	if !equality.Semantic.DeepEqual(d.Spec.Template, after.Spec.Template) || resources.KeptCPU(after) != 800 {
		t.Errorf("the template has changed, or the CPU is not noted: %v", after.Annotations)
	}
	o.actuate(a, nil)
	o.actuate(b, nil)
	o.sees("enrich", "800m", 2)
	o.cpuOf(o.running(d, set, "c"), "400m", "800m")
	stranger := d.DeepCopy()
	other := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "foreign", Namespace: o.namespace, Labels: d.Spec.Template.Labels},
		Spec:       appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}
	o.create(other)
	foreign := o.running(stranger, other, "foreign")
	o.cpuOf(o.running(d, set, "d"), "400m", "800m") // after the foreign one
	o.cpuOf(foreign, "100m", "200m")

	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Autoscaling = nil })
	for _, pod := range []*corev1.Pod{a, b} {
		o.cpuOf(pod, "100m", "200m")
	}
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if kept := resources.KeptCPU(d); kept != 0 {
			return fmt.Errorf("the pods are still to have %dm", kept)
		}
		return nil
	})
}

// TestANodeWithoutRoom: the pod goes on with its present CPU, the condition says why, and
// the operator tries less if the node will never have room.
func TestANodeWithoutRoom(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	_, _, a, b := o.sizedPods("4")
	o.cpuOf(a, "400m", "800m")
	o.cpuOf(b, "400m", "800m")
	o.actuate(b, nil)
	pending := &corev1.PodCondition{
		Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: corev1.PodReasonDeferred,
		Message: "Node didn't have enough resource: cpu", LastTransitionTime: metav1.Now(),
	}
	o.actuate(a, pending)
	o.expect("enrich", status.ResizePending, yes, "Deferred", "pod a", "enough resource: cpu", "maxCPU")
	o.cpuOf(a, "400m", "800m") // it waits
	pending.Reason = corev1.PodReasonInfeasible
	o.actuate(a, pending)
	o.cpuOf(a, "300m", "600m")
	o.expect("enrich", status.ResizePending, yes, "Infeasible", "pod a")
	o.actuate(a, nil)
	o.cpuOf(b, "400m", "800m") // the other one is not the worse for it
}

// TestAResizeThatIsRefused: the API server knows that the node is smaller. The operator
// asks for less until the API server accepts it, and the decision says why.
func TestAResizeThatIsRefused(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.api.Requires(t, 37, "the API server's look at the node's size")
	_, _, a, b := o.sizedPods("250m") // for each
	o.cpuOf(a, "200m", "400m")
	o.cpuOf(b, "200m", "400m")
	o.expect("enrich", status.ResizePending, yes, "Infeasible", "allocatable")
	o.actuate(a, nil)
	o.actuate(b, nil)
	o.eventually("the decision that there is no room", func() error {
		o.kafka.behind(6, time.Now())
		d := &appsv1.Deployment{}
		if err := o.client.Get(o.Context(), o.key("enrich-worker"), d); err != nil {
			return err
		}
		if kept := resources.KeptCPU(d); kept != 400 {
			return fmt.Errorf("the pods are to have %dm", kept)
		}
		return nil
	})
}

// TestTooLongADeferralIsGivenUp: a deferred request keeps other pods from the node, so the
// operator withdraws it after a while.
func TestTooLongADeferralIsGivenUp(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	_, _, a, b := o.sizedPods("4")
	o.cpuOf(a, "400m", "800m")
	o.actuate(b, nil)
	o.actuate(a, &corev1.PodCondition{
		Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: corev1.PodReasonDeferred,
		LastTransitionTime: metav1.NewTime(time.Now().Add(-deferredFor)),
	})
	o.cpuOf(a, "100m", "200m")
	o.cpuOf(b, "400m", "800m")
}

// TestVerticalNeedsALimit: a condition says that autoscaling.vertical needs a CPU limit.
func TestVerticalNeedsALimit(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", sized, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Template = nil })
	o.expect("enrich", status.ResizePending, yes, "NoCPULimit", "limits.cpu", "spec.template")
}

// TestCPUNoteIsRemoved: the Deployment's note of the CPU, patched while the template was
// held, goes with autoscaling.vertical. Otherwise it would count as a decision when
// autoscaling.vertical comes back.
func TestCPUNoteIsRemoved(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	d := o.runs("enrich", 2)
	held := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"annotations": {"millrace.dev/milli-cpu": "4000"}}}`))
	if err := o.client.Patch(t.Context(), d, held, client.FieldOwner(resources.Manager)); err != nil {
		t.Fatal(err)
	}
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if cpu := resources.KeptCPU(d); cpu != 0 {
			return fmt.Errorf("it notes %d: %w", cpu, errUnsettled)
		}
		return nil
	})
}
