package plan

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

// observed returns a StreamProcessor that runs well with 2 pods on 6 partitions, after
// the changes.
func observed(change ...func(*Observed)) Observed {
	sp := &v1alpha1.StreamProcessor{
		ObjectMeta: metav1.ObjectMeta{Name: "enrich", Namespace: "shop", UID: "1", Generation: 1},
		Spec: v1alpha1.StreamProcessorSpec{
			Kafka:     v1alpha1.KafkaSpec{BootstrapServers: []string{"kafka:9092"}},
			Input:     v1alpha1.InputSpec{Topic: "orders"},
			Output:    &v1alpha1.OutputSpec{Topic: "enriched"},
			Processor: v1alpha1.ProcessorSpec{CEL: &v1alpha1.CELSpec{}},
			Replicas:  new(int32(2)),
		},
	}
	sp.Default()
	o := Observed{
		Now:       now,
		Processor: sp,
		Kafka:     Kafka{Partitions: 6, Input: &v1alpha1.InputStatus{Partitions: 6}},
	}
	runs(2)(&o)
	for _, c := range change {
		c(&o)
	}
	return o
}

// now is the time of all observations.
var now = time.Unix(1_700_000_000, 0).UTC()

func runs(n int32) func(*Observed) {
	return func(o *Observed) {
		o.Deployment = &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{UID: "d", Generation: 3, Annotations: map[string]string{revisionAnnotation: "2"}},
			Spec:       appsv1.DeploymentSpec{Replicas: &n},
			Status: appsv1.DeploymentStatus{
				ObservedGeneration: 3, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
			},
		}
		o.ReplicaSets = []metav1.ObjectMeta{replicaSet("former", "1"), replicaSet("present", "2")}
		o.Pods = nil
		for i := range n {
			pod(fmt.Sprint("enrich-", i+1), "present", corev1.PodStatus{})(o)
		}
	}
}

func replicaSet(uid types.UID, revision string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: string(uid), UID: uid, Annotations: map[string]string{revisionAnnotation: revision}}
}

// pod adds one of a ReplicaSet, or takes the place of one of that name.
func pod(name, set string, s corev1.PodStatus) func(*Observed) {
	return func(o *Observed) {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{
			{Kind: "ReplicaSet", Name: set, UID: types.UID(set), Controller: new(true)},
		}}, Status: s}
		o.Pods = append(slices.DeleteFunc(o.Pods, func(old corev1.Pod) bool { return old.Name == name }), p)
	}
}

func none(o *Observed)    { o.Deployment, o.Pods = nil, nil }
func suspend(o *Observed) { o.Processor.Spec.Suspend = true }
func wants(n int32) func(*Observed) {
	return func(o *Observed) { o.Processor.Spec.Replicas = &n }
}

func absent(o *Observed) { o.Processor.Spec.Replicas = nil }

// stoppedFrom is a Deployment that ran n pods and was then stopped by a plan.
func stoppedFrom(n int32) func(*Observed) {
	return func(o *Observed) {
		runs(n)(o)
		o.Processor.Spec.Suspend = true
		for _, act := range Make(*o).Apply {
			if d, ok := act.Object.(*appsv1.Deployment); ok {
				o.Deployment = d
			}
		}
		o.Processor.Spec.Suspend = false
	}
}

func partitions(n int32) func(*Observed) {
	return func(o *Observed) { o.Kafka.Partitions = n }
}

func unknown(o *Observed) { o.Kafka = Kafka{} }
func down(o *Observed)    { o.Kafka.Trouble = &Trouble{Message: "no broker answers"} }
func refusedByKafka(o *Observed) {
	o.Kafka.Trouble = &Trouble{Refused: true, Message: "not authorised"}
}

func missing(since time.Duration) func(*Observed) {
	return func(o *Observed) { o.Kafka.Missing, o.Kafka.MissingFor = []string{`"orders"`}, since }
}

func decided(to int32, mode v1alpha1.AutoscalingMode) func(*Observed) {
	return func(o *Observed) {
		o.Processor.Spec.Autoscaling = &v1alpha1.AutoscalingSpec{MaxReplicas: 50, Mode: mode}
		o.Scaling = &v1alpha1.ScaleDecision{To: to, Reason: "LagAboveTarget"}
	}
}

// atCap has autoscaling want more pods than there are partitions.
func atCap(o *Observed) { o.Scaling.Reason, o.Scaling.Cap = "AtCap", 6 }

func conflict(o *Observed) { o.GroupOwner = "elder" }

func shared(o *Observed)  { o.GroupShared = true }
func deleted(o *Observed) { o.Processor.DeletionTimestamp = &metav1.Time{} }

func TestReplicas(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Observed
		want   int32
		capped bool
		why    string
	}{
		{"as asked for", observed(wants(3)), 3, false, "spec.replicas is 3"},
		{"never more than partitions", observed(wants(9)), 6, true, "6 partitions"},
		{"as many as partitions", observed(wants(6)), 6, false, ""},
		{"a grown topic raises the cap", observed(wants(9), partitions(8)), 8, true, "8 partitions"},
		{"none", observed(wants(0)), 0, false, ""},
		{"suspended", observed(suspend), 0, false, "suspend"},
		{"nothing known, nothing runs", observed(unknown, none), 0, false, ""},
		{"nothing known, the pods stay", observed(unknown, runs(4)), 4, false, ""},
		{"Kafka is down", observed(down, wants(2)), 2, false, ""},
		{"Kafka is down, and was never seen", observed(unknown, down, runs(3)), 3, false, ""},
		{"the topic is missing, nothing runs", observed(missing(0), none), 0, false, "orders"},
		{"the topic has just gone", observed(missing(time.Second), runs(2)), 2, false, ""},
		{"the topic has been gone for long", observed(missing(time.Hour), runs(2)), 0, false, "orders"},
		{"the group is another's", observed(conflict, runs(0)), 0, false, "elder"},
		{"the group is another's while pods run with the one of before", observed(conflict, runs(2)), 2, false, "elder"},
		{"autoscaled", observed(decided(5, v1alpha1.Auto)), 5, false, "LagAboveTarget"},
		{"autoscaled beyond the partitions", observed(decided(9, v1alpha1.Auto)), 6, true, "LagAboveTarget"},
		{"autoscaled as far as partitions go", observed(decided(6, v1alpha1.Auto), atCap), 6, true, "AtCap"},
		{"recommended only", observed(decided(5, v1alpha1.RecommendOnly)), 2, false, "spec.replicas"},
		{"absent at first", observed(absent, none), 1, false, "no pod has run"},
		{"absent keeps the number", observed(absent, runs(4)), 4, false, "keeps"},
		{"absent keeps the number of those stopped", observed(absent, stoppedFrom(4)), 4, false, "keeps"},
		{"absent, and fewer partitions", observed(absent, runs(4), partitions(3)), 3, true, "3 partitions"},
		{"absent, autoscaling has just been switched to recommending", observed(absent, runs(4), decided(2, v1alpha1.RecommendOnly)), 4, false, "keeps"},
		{"deleted", observed(deleted), 0, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Make(c.o).Replicas
			if got.Count != c.want || got.Capped != c.capped || !strings.Contains(got.Why, c.why) {
				t.Errorf("got %+v, want %d, capped %v, %q", got, c.want, c.capped, c.why)
			}
		})
	}
}

func TestWhatMayBeTouched(t *testing.T) {
	invalid := func(o *Observed) { o.Processor.Spec.Delivery = "AtMostOnce" }
	secret := func(o *Observed) { o.Credentials.Missing = []string{"spec.kafka.sasl.passwordSecretRef: none"} }
	expression := func(o *Observed) { o.BadExpressions = errors.New("spec.processor.cel.filter:1:5: wrong") }
	for name, o := range map[string]Observed{
		"an invalid spec": observed(invalid), "a bad expression": observed(expression), "a missing Secret": observed(secret), "a deletion": observed(deleted),
		"another's group, with pods of the one before": observed(conflict, runs(2)),
	} {
		if p := Make(o); len(p.Apply) > 0 {
			t.Errorf("%s: %v is applied", name, p.Apply)
		}
	}
	suspended := func(o *Observed) { o.Processor.Spec.Suspend = true }
	for name, o := range map[string]Observed{
		"a bad expression": observed(expression, suspended), "a missing Secret": observed(secret, suspended),
	} {
		stopped := slices.ContainsFunc(Make(o).Apply, func(a Act) bool {
			d, ok := a.Object.(*appsv1.Deployment)
			return ok && *d.Spec.Replicas == 0
		})
		if !stopped {
			t.Errorf("%s keeps a suspended one running", name)
		}
	}
	if p := Make(observed(invalid, suspended)); p.Stop == nil || *p.Stop.Spec.Replicas != 0 || len(p.Apply) > 0 {
		t.Errorf("an invalid spec keeps a suspended one running: %+v", p)
	}
	if p := Make(observed(invalid)); p.Stop != nil {
		t.Error("an invalid spec stops running pods")
	}
	foreign := observed(func(o *Observed) { o.Foreign = []string{"Deployment enrich-worker"} })
	p := Make(foreign)
	if len(p.Apply) == 0 || slices.ContainsFunc(p.Apply, func(a Act) bool { return Describe(a.Object) == foreign.Foreign[0] }) {
		t.Errorf("applied: %v; want all but the foreign one", p.Apply)
	}
}

func TestConditions(t *testing.T) {
	behind := func(o *Observed) { o.Deployment.Status.ObservedGeneration = 2 }
	rolling := func(o *Observed) { o.Deployment.Status.UpdatedReplicas = 1 }
	joining := func(o *Observed) { o.Deployment.Status.ReadyReplicas = 1 }
	crash := pod("enrich-1", "present", crashed(4, time.Minute))
	pull := pod("enrich-1", "present", waits("ImagePullBackOff", "no such image"))
	stuck := func(o *Observed) {
		o.Kafka.Stuck = []v1alpha1.StuckPartition{{Partition: 3, Offset: 41, KeyHash: "abcd", LastError: "boom"}}
	}
	halted := func(o *Observed) {
		o.Kafka.Stuck = []v1alpha1.StuckPartition{{Partition: 3, Offset: 41, Halted: true, LastError: "a corrupt batch"}, {Partition: 4}}
	}
	lost := func(o *Observed) {
		o.Kafka.Losses = []v1alpha1.PartitionLoss{{Partition: 3, From: 10, To: 31, Reason: "Retention"}}
	}
	gone := func(o *Observed) { o.Kafka.Gone = []int32{0, 2} }
	leaderless := func(o *Observed) { o.Kafka.Unknown = []int32{5} }
	leftPod := pod("enrich-1", "present", corev1.PodStatus{})
	refusal := func(o *Observed) { o.NotPermitted = "Deployment enrich-worker: quota" }
	foreign := func(o *Observed) { o.Foreign = []string{"Deployment enrich-worker"} }
	leaving := func(o *Observed) { o.Leaving = []string{"Deployment enrich-worker"} }
	secret := func(o *Observed) {
		o.Credentials.Missing = []string{`spec.kafka.sasl.passwordSecretRef: there is no Secret "x"`}
	}
	invalid := func(o *Observed) { o.Processor.Spec.Delivery = "AtMostOnce" }
	tooMuch := func(o *Observed) {
		o.Processor.Spec.Processor = v1alpha1.ProcessorSpec{Sidecar: &v1alpha1.SidecarSpec{Image: "a", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
		}}}
	}
	badExpression := func(o *Observed) { o.BadExpressions = errors.New("spec.processor.cel.filter:1:5: wrong") }
	for _, c := range []struct {
		name string
		o    Observed
		// want has the type, status and reason of each condition that is shown.
		want string
		// says are parts of messages.
		says []string
	}{
		{"runs", observed(), "Ready=True/Running KafkaReachable=True/Reachable", []string{"2 members", "millrace-shop.enrich", "6 partitions"}},
		{"just applied", observed(behind), "Ready=False/RolloutInProgress Reconciling=True/RolloutInProgress KafkaReachable=True/Reachable", nil},
		{"rolling out", observed(rolling), "Ready=False/RolloutInProgress Reconciling=True/RolloutInProgress KafkaReachable=True/Reachable", []string{"1 of 2"}},
		{"joining", observed(joining), "Ready=False/PodsNotReady Reconciling=True/PodsNotReady KafkaReachable=True/Reachable", []string{"1 of 2"}},
		{"a pod waits", observed(joining, outputAway), "Ready=False/PodsNotReady Reconciling=True/PodsNotReady KafkaReachable=True/Reachable", []string{"1 of 2", "; pod a waits for Kafka: the output's cluster"}},
		{"crashing", observed(joining, crash), "Ready=False/PodsFailing Reconciling=True/PodsFailing KafkaReachable=True/Reachable", []string{"enrich-1", "exit code 1", "error: model not found"}},
		{"no image", observed(joining, pull), "Ready=False/PodsFailing Reconciling=True/PodsFailing KafkaReachable=True/Reachable", []string{"ImagePullBackOff", "no such image"}},
		{"capped", observed(wants(9), runs(6)), "Ready=True/Running KafkaReachable=True/Reachable PartitionCapped=True/MoreReplicasThanPartitions", []string{"9 replicas", "6 partitions", "6 run"}},
		{"capped by autoscaling", observed(decided(6, v1alpha1.Auto), atCap, runs(6)), "Ready=True/Running KafkaReachable=True/Reachable PartitionCapped=True/MoreReplicasThanPartitions", []string{"more replicas", "6 partitions", "6 run"}},
		{"stuck", observed(stuck), "Ready=True/Running KafkaReachable=True/Reachable StuckPartition=True/WatermarkHeld", []string{"partition 3", "offset 41", "abcd", "boom"}},
		{"halted", observed(halted), "Ready=True/Running KafkaReachable=True/Reachable StuckPartition=True/ReadingHalted", []string{"partition 3", "offset 41", "a corrupt batch", "1 more"}},
		{"records lost", observed(lost), "Ready=True/Running KafkaReachable=True/Reachable RecordsLost=True/LostBeforeRead", []string{"partition 3", "offsets 10 to 30", "retention"}},
		{"offsets gone", observed(gone), "Ready=True/Running KafkaReachable=True/Reachable OffsetsGone=True/ExpiredOrDeleted", []string{"partitions 0, 2", "millrace-shop.enrich", "startOffset"}},
		{"suspended without its offsets", observed(suspend, runs(0), gone), "Ready=True/Suspended KafkaReachable=True/Reachable OffsetsGone=True/ExpiredOrDeleted Suspended=True/SuspendedBySpec", []string{"has lost offsets"}},
		{"a partition without a leader", observed(leaderless, wants(9), runs(6)), "Ready=True/Running KafkaReachable=True/Reachable PartitionCapped=True/MoreReplicasThanPartitions", []string{"partition 5", "last known"}},
		{"down", observed(down), "Ready=True/Running KafkaReachable=False/KafkaUnreachable", []string{"no broker answers"}},
		{"not authorised", observed(refusedByKafka), "Ready=True/Running KafkaReachable=False/NotAuthorized", nil},
		{"down, and pods are not ready", observed(down, joining), "Ready=False/KafkaUnreachable Reconciling=True/KafkaUnreachable KafkaReachable=False/KafkaUnreachable", []string{"no broker answers"}},
		{"not authorised, and pods are not ready", observed(refusedByKafka, joining), "Ready=False/NotAuthorized Reconciling=True/NotAuthorized KafkaReachable=False/NotAuthorized", nil},
		{"down, and pods crash", observed(down, joining, crash), "Ready=False/PodsFailing Reconciling=True/PodsFailing KafkaReachable=False/KafkaUnreachable", []string{"model not found"}},
		{"down, and was never seen", observed(unknown, down, none), "Ready=False/KafkaUnreachable Reconciling=True/KafkaUnreachable KafkaReachable=False/KafkaUnreachable", nil},
		{"down, and all sleep", observed(decided(0, v1alpha1.Auto), runs(0), down), "Ready=False/KafkaUnreachable Reconciling=True/KafkaUnreachable KafkaReachable=False/KafkaUnreachable", nil},
		{"not asked", observed(unknown, none), "Ready=False/WaitingForKafka Reconciling=True/WaitingForKafka KafkaReachable=Unknown/NotAskedYet", nil},
		{"missing topic", observed(missing(0), none), "Ready=False/TopicNotFound Reconciling=True/TopicNotFound KafkaReachable=True/Reachable", []string{`"orders"`, "create it"}},
		{"scaled to zero", observed(wants(0), runs(0)), "Ready=True/ScaledToZero KafkaReachable=True/Reachable", nil},
		{"going to zero", observed(wants(0), runs(0), leftPod), "Ready=False/Draining Reconciling=True/Draining KafkaReachable=True/Reachable", nil},
		{"suspended", observed(suspend, runs(0)), "Ready=True/Suspended KafkaReachable=True/Reachable Suspended=True/SuspendedBySpec", []string{"suspend to false"}},
		{"being suspended", observed(suspend), "Ready=False/Draining Reconciling=True/Draining KafkaReachable=True/Reachable Suspended=True/SuspendedBySpec", nil},
		{"group conflict", observed(conflict, runs(0)), "Ready=False/GroupConflict Reconciling=True/GroupConflict KafkaReachable=True/Reachable", []string{"elder", "groupId"}},
		{"group conflict while pods run", observed(conflict, runs(2)), "Ready=False/GroupConflict Reconciling=True/GroupConflict KafkaReachable=True/Reachable", []string{"2 pods go on"}},
		{"shared group", observed(shared), "Ready=True/Running KafkaReachable=True/Reachable GroupShared=True/UsedTwice", []string{"another namespace", "groupId"}},
		{"name conflict", observed(foreign), "Ready=False/NameConflict Reconciling=True/NameConflict KafkaReachable=True/Reachable", []string{"Deployment enrich-worker"}},
		{"a successor", observed(leaving), "Ready=False/Draining Reconciling=True/Draining KafkaReachable=True/Reachable", []string{"Deployment enrich-worker", "earlier"}},
		{"no secret", observed(secret), "Ready=False/CredentialsNotFound Reconciling=True/CredentialsNotFound KafkaReachable=True/Reachable", []string{"passwordSecretRef"}},
		{"bad expression", observed(joining, badExpression), "Ready=False/InvalidSpec Stalled=True/InvalidSpec KafkaReachable=True/Reachable", []string{"spec.processor.cel.filter:1:5"}},
		{"invalid", observed(invalid), "Ready=False/InvalidSpec Stalled=True/InvalidSpec KafkaReachable=True/Reachable", []string{"spec.delivery"}},
		{"a request above its limit", observed(tooMuch), "Ready=False/InvalidSpec Stalled=True/InvalidSpec KafkaReachable=True/Reachable", []string{"spec.processor.sidecar.resources.requests.memory: 2Gi is above the limit of 1Gi"}},
		{"refused", observed(refusal), "Ready=False/Refused Reconciling=True/Refused KafkaReachable=True/Reachable", []string{"quota"}},
		{"deleted", observed(deleted), "Ready=False/Deleting Reconciling=True/Deleting KafkaReachable=True/Reachable", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Make(c.o)
			var conditions []metav1.Condition
			current, _ := p.Conditions(c.o)
			status.Set(&conditions, 1, metav1.Time{Time: now}, current...)
			var got, said []string
			for _, condition := range conditions {
				got = append(got, condition.Type+"="+string(condition.Status)+"/"+condition.Reason)
				said = append(said, condition.Message)
				if condition.Message == "" {
					t.Errorf("%s says nothing", condition.Type)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), c.want)
			}
			for _, part := range c.says {
				if !strings.Contains(strings.Join(said, "\n"), part) {
					t.Errorf("no message says %q: %q", part, said)
				}
			}
		})
	}
}

func shown(p Plan, o Observed) []status.Condition {
	conditions, _ := p.Conditions(o)
	return conditions
}

// TestSameObservationSamePlan: a plan that differs from one look to the next would be
// written each time.
func TestSameObservationSamePlan(t *testing.T) {
	for range 20 {
		o := observed(func(o *Observed) {
			o.Pods = []corev1.Pod{{}, {}}
			o.Credentials.Missing = nil
		})
		a, b := Make(o), Make(o)
		if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(shown(a, o), shown(b, o)) {
			t.Fatalf("%v\n%v", a, b)
		}
	}
}

func outputAway(o *Observed) {
	o.Kafka.Waiting = "pod a waits for Kafka: the output's cluster (output.kafka): no Kafka broker can be reached"
}
