package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

const (
	yes = metav1.ConditionTrue
	no  = metav1.ConditionFalse
)

func wantsReplicas(n int32) func(*v1alpha1.StreamProcessor) {
	return func(sp *v1alpha1.StreamProcessor) { sp.Spec.Replicas = &n }
}

func TestItRuns(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	o.replicas("enrich", 2)
	o.expect("enrich", "Ready", no, "RolloutInProgress")
	for _, object := range []client.Object{o.file("enrich"), &corev1.ServiceAccount{}, &corev1.Service{}, &policyv1.PodDisruptionBudget{}} {
		if object.GetName() == "" {
			o.eventually(fmt.Sprintf("%T", object), func() error { return o.client.Get(o.Context(), o.key("enrich-worker"), object) })
		}
		if !metav1.IsControlledBy(object, o.expect("enrich", "KafkaReachable", yes, "Reachable")) {
			t.Errorf("%T is not controlled by the StreamProcessor", object)
		}
	}
	o.settle("enrich")
	sp := o.expect("enrich", "Ready", yes, "Running", "2 members", "6 partitions")
	s := sp.Status
	if s.Replicas != 2 || s.ReadyReplicas != 2 || s.Input == nil || s.Input.Partitions != 6 || s.Selector == "" {
		t.Errorf("status %+v", s)
	}
	o.event("enrich", "Running")
	o.event("enrich", "Scaled")
}

func TestNeverMorePodsThanPartitions(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", wantsReplicas(9))
	o.replicas("enrich", 6)
	o.expect("enrich", "PartitionCapped", yes, "MoreReplicasThanPartitions", "9", "6")
	o.kafka.change(func(f *kafkawatch.Facts) { f.Partitions = make([]kafkawatch.Partition, 8) })
	o.replicas("enrich", 8)
	o.kafka.change(func(f *kafkawatch.Facts) { f.Partitions = make([]kafkawatch.Partition, 20) })
	o.replicas("enrich", 9)
	o.expect("enrich", "PartitionCapped", "", "")
	if _, err := o.api.Kubectl(t, "", "scale", "streamprocessor/enrich", "-n", o.namespace, "--replicas=3"); err != nil {
		t.Fatal(err)
	}
	o.replicas("enrich", 3)
}

func TestTheTopicIsMissing(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 0)
	o.kafka.change(func(f *kafkawatch.Facts) { f.Missing = []string{"orders"}; f.MissingSince = f.At })
	o.processor("enrich")
	o.expect("enrich", "Ready", no, "TopicNotFound", `"orders"`, "create it")
	o.replicas("enrich", 0)
	o.kafka.change(func(f *kafkawatch.Facts) { f.Missing = nil; f.Partitions = make([]kafkawatch.Partition, 3) })
	o.replicas("enrich", 2)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
}

// TestKafkaIsDown: an operator scales nothing, not even after a start without any answer
// from the cluster.
func TestKafkaIsDown(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", wantsReplicas(4))
	o.replicas("enrich", 4)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	generation := o.replicas("enrich", 4).Generation
	o.kafka.change(func(f *kafkawatch.Facts) { f.Err = errNoBroker })
	o.expect("enrich", "KafkaReachable", no, "KafkaUnreachable", "connection refused")
	o.event("enrich", "KafkaUnreachable")
	o.expect("enrich", "Ready", yes, "Running") // the pods are members of the group
	o.stop()
	o.kafka.change(func(f *kafkawatch.Facts) { *f = kafkawatch.Facts{Err: errors.New("still down")} })
	o.run(plan.Environment{WorkerImage: "worker:1"})
	o.expect("enrich", "KafkaReachable", no, "KafkaUnreachable", "still down")
	if d := o.replicas("enrich", 4); d.Generation != generation {
		t.Errorf("the Deployment was changed: %+v", d.Spec)
	}
	o.update("enrich", wantsReplicas(9))
	o.replicas("enrich", 6)
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	o.replicas("enrich", 2)
	o.settle("enrich")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = true })
	o.expect("enrich", "Suspended", yes, "SuspendedBySpec")
	o.replicas("enrich", 0)
	o.expect("enrich", "Ready", no, "Draining")
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Suspended")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = false })
	o.replicas("enrich", 2)
	o.expect("enrich", "Suspended", "", "")
}

func TestStuckPartition(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	o.pods.change(o.key("enrich"), podwatch.Facts{Stuck: []podwatch.Stuck{{Partition: 3, Offset: 41, KeyHash: "abcd", LastError: "boom", Since: time.Now()}}})
	sp := o.expect("enrich", "StuckPartition", yes, "WatermarkHeld", "partition 3", "offset 41", "abcd", "boom")
	if len(sp.Status.StuckPartitions) != 1 {
		t.Errorf("status.stuckPartitions: %v", sp.Status.StuckPartitions)
	}
	o.event("enrich", "WatermarkHeld")
}

// TestTroublesOfPartitions: the API server accepts the status' lists of partitions.
func TestTroublesOfPartitions(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	o.expect("enrich", "KafkaReachable", yes, "Reachable")
	o.pods.change(o.key("enrich"), podwatch.Facts{
		Stuck:  []podwatch.Stuck{{Partition: 3, Offset: 41, Halted: true, LastError: "corrupt", Since: time.Now()}},
		Losses: []podwatch.Loss{{Partition: 2, From: 10, To: 20, Reason: "Retention", At: time.Now()}},
	})
	o.kafka.change(func(f *kafkawatch.Facts) {
		f.Unknown, f.Gone = []int32{1, 5}, []int32{0}
		f.Partitions[0].Committed = -1
	})
	o.expect("enrich", "StuckPartition", yes, "ReadingHalted", "partition 3", "corrupt")
	o.expect("enrich", "RecordsLost", yes, "LostBeforeRead", "partition 2", "10 to 19")
	o.expect("enrich", "KafkaReachable", yes, "Reachable", "partitions 1, 5")
	sp := o.expect("enrich", "OffsetsGone", yes, "ExpiredOrDeleted", "partition 0")
	if in := sp.Status.Input; len(in.UnknownPartitions) != 2 || in.Partitions != 6 || len(sp.Status.Losses) != 1 {
		t.Errorf("status %+v", sp.Status)
	}
	for _, reason := range []string{"RecordsLost", "ReadingHalted", "ExpiredOrDeleted"} {
		o.event("enrich", reason)
	}
}

// TestNameConflict: the operator does not touch somebody else's objects, and starts no pod
// with them.
func TestNameConflict(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	foreign := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "enrich-worker", Namespace: o.namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(7)),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
			},
		},
	}
	o.create(foreign)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "enrich-worker", Namespace: o.namespace}}
	o.create(account)
	o.processor("enrich")
	o.expect("enrich", "Reconciling", yes, "NameConflict", "Deployment enrich-worker", "ServiceAccount enrich-worker")
	if d := o.replicas("enrich", 7); len(d.OwnerReferences) > 0 || d.Generation != 1 {
		t.Errorf("it was changed: %+v", d)
	}
	o.delete(foreign)
	o.update("enrich", wantsReplicas(3))
	o.eventually("the conflict of the ServiceAccount alone", func() error {
		c := meta.FindStatusCondition(o.expect("enrich", "Reconciling", yes, "NameConflict", "ServiceAccount").Status.Conditions, "Reconciling")
		if strings.Contains(c.Message, "Deployment") {
			return errors.New(c.Message)
		}
		return nil
	})
	if err := o.client.Get(t.Context(), o.key("enrich-worker"), foreign); !apierrors.IsNotFound(err) {
		t.Errorf("pods run with somebody else's ServiceAccount: %v", err)
	}
	o.delete(account)
	o.update("enrich", wantsReplicas(4))
	o.replicas("enrich", 4)
}

// TestNameConflictOfARunningOne: running pods stay as they are. A user can stop them, and
// the operator adds none.
func TestNameConflictOfARunningOne(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	before := o.replicas("enrich", 2)
	o.stop()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "enrich-worker", Namespace: o.namespace},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone},
	}
	o.delete(service.DeepCopy())
	o.create(service)
	o.run(plan.Environment{WorkerImage: "worker:1"})
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Suspend, sp.Spec.Ordering = true, v1alpha1.Key
	})
	o.expect("enrich", "Reconciling", yes, "NameConflict", "Service enrich-worker")
	if d := o.replicas("enrich", 0); fileOf(d) != fileOf(before) {
		t.Errorf("the pod template was changed: %+v", d.Spec.Template)
	}
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = false })
	o.expect("enrich", "Reconciling", yes, "NameConflict", "Service enrich-worker")
	o.looksAgain("enrich")
	o.replicas("enrich", 0)
	o.delete(service)
	o.eventually("the pods to start", func() error {
		o.kafka.wakeAll()
		if d := o.deployment("enrich", func(*appsv1.Deployment) error { return nil }); *d.Spec.Replicas != 2 || fileOf(d) == fileOf(before) {
			return errUnsettled
		}
		return nil
	})
}

// TestOrphans: the next StreamProcessor with the same name adopts the objects that a
// deletion with --cascade=orphan has left, and the pods go on.
func TestOrphans(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	first := o.processor("enrich")
	d := o.replicas("enrich", 2)
	old := o.file("enrich")
	o.stop()
	o.delete(first)
	o.gone(first)
	objects := []client.Object{d, old, &corev1.ServiceAccount{}, &corev1.Service{}, &policyv1.PodDisruptionBudget{}}
	for _, object := range objects { // as the garbage collector does
		if object.GetName() == "" {
			object.SetName("enrich-worker")
			object.SetNamespace(o.namespace)
		}
		o.patch(object, `{"metadata": {"ownerReferences": null}}`)
	}
	o.run(plan.Environment{WorkerImage: "worker:1"})
	second := o.processor("enrich", wantsReplicas(3), func(sp *v1alpha1.StreamProcessor) { sp.Spec.Ordering = v1alpha1.Key })
	if adopted := o.replicas("enrich", 3); adopted.UID != d.UID || !metav1.IsControlledBy(adopted, second) {
		t.Errorf("the Deployment was not adopted: %+v", adopted.ObjectMeta)
	}
	for _, object := range append(objects[2:], o.file("enrich")) {
		o.eventually(fmt.Sprintf("%T to be adopted", object), func() error {
			if err := o.client.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				return err
			}
			if !metav1.IsControlledBy(object, second) {
				return errUnsettled
			}
			return nil
		})
	}
	o.settle("enrich")
	o.gone(old) // no pod refers to it
}
