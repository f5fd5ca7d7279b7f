package crd

import (
	"context"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// allStatus has every field of the status.
func allStatus() v1alpha1.StreamProcessorStatus {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return v1alpha1.StreamProcessorStatus{
		ObservedGeneration: 3,
		Conditions: []metav1.Condition{{
			Type: "Ready", Status: metav1.ConditionTrue, ObservedGeneration: 3, LastTransitionTime: at, Reason: "Running", Message: "2 of 2 pods are ready",
		}},
		Replicas: 2, ReadyReplicas: 1, Selector: "app.kubernetes.io/instance=copy",
		Input: &v1alpha1.InputStatus{
			Topic: "in", GroupID: "millrace-copy", Partitions: 12, Lag: 1234, LagSeconds: new(int64(3)),
			PartitionsBehind: []v1alpha1.PartitionLag{{Partition: 0, Committed: -1, Lag: 1234}},
		},
		Expressions: &v1alpha1.ExpressionsStatus{Version: "e57828bb40af92af", Pods: 2, UpdatedPods: 1},
		StuckPartitions: []v1alpha1.StuckPartition{{
			Partition: 0, Offset: 17, KeyHash: "deadbeef", Since: at, Attempts: 4, LastError: "no such key: client",
		}},
		LastScaleDecision: &v1alpha1.ScaleDecision{
			From: 1, To: 2, Cap: 12, CPU: &v1alpha1.CPUChange{From: resource.MustParse("1"), To: resource.MustParse("2500m")}, Reason: "LagAboveTarget", Message: "the lag takes 90 s, and 30 s are wanted", At: at,
			Inputs: v1alpha1.ScaleInputs{
				Lag: 9000, LagSeconds: new(int64(90)), ArrivedPerSecond: 100, ProcessedPerSecond: 50, SaturationPercent: new(int32(97)), Partitions: 12, StuckPartitions: 1,
			},
		},
		Vertical: &v1alpha1.VerticalStatus{CPU: resource.MustParse("2500m"), ResizedReplicas: 1},
		Autoscaling: &v1alpha1.AutoscalingStatus{
			PodRecordsPerSecond: new(int64(100)), PauseSeconds: 3,
			Idle:   &v1alpha1.IdleStatus{Since: at, EndOffsets: 9},
			Enough: []v1alpha1.EnoughPods{{Pods: 1, Since: at}},
			UselessRaises: []v1alpha1.UselessRaise{
				{Resource: "Pods", From: 1, To: 2, Enough: 1, Partitions: []int32{0}, At: at},
				{Resource: "CPU", From: 1000, To: 2000, Enough: 1000, At: at},
			},
		},
	}
}

// create creates a StreamProcessor in a new namespace.
func create(t *testing.T, api *controllerstest.API, changes ...string) *v1alpha1.StreamProcessor {
	t.Helper()
	object := parse(t, least, changes...)
	object.SetNamespace(api.Namespace(t))
	if err := strict(api).Create(context.Background(), object); err != nil {
		t.Fatal(err)
	}
	return get(t, api, client.ObjectKeyFromObject(object))
}

func get(t *testing.T, api *controllerstest.API, key client.ObjectKey) *v1alpha1.StreamProcessor {
	t.Helper()
	sp := &v1alpha1.StreamProcessor{}
	if err := api.Client.Get(context.Background(), key, sp); err != nil {
		t.Fatal(err)
	}
	return sp
}

func TestStatusIsWrittenByItself(t *testing.T) {
	api := controllerstest.Start(t)
	sp := create(t, api)
	key := client.ObjectKeyFromObject(sp)

	sp.Status = allStatus()
	sp.Spec.Replicas = new(int32(9))
	if err := strict(api).Status().Update(context.Background(), sp); err != nil {
		t.Fatal(err)
	}
	got := get(t, api, key)
	if !apiequality.Semantic.DeepEqual(got.Status, allStatus()) {
		t.Errorf("the status is\n%s\nwant\n%s", asYAML(t, got.Status), asYAML(t, allStatus()))
	}
	if got.Spec.Replicas != nil || got.Generation != 1 {
		t.Errorf("a write of the status changed replicas to %d and the generation to %d", *got.Spec.Replicas, got.Generation)
	}

	got.Status = v1alpha1.StreamProcessorStatus{}
	got.Spec.Replicas = new(int32(4))
	if err := strict(api).Update(context.Background(), got); err != nil {
		t.Fatal(err)
	}
	got = get(t, api, key)
	if *got.Spec.Replicas != 4 || got.Generation != 2 || !apiequality.Semantic.DeepEqual(got.Status, allStatus()) {
		t.Errorf("after a write of the spec: replicas %d, generation %d, status\n%s", *got.Spec.Replicas, got.Generation, asYAML(t, got.Status))
	}
}

func TestScale(t *testing.T) {
	api := controllerstest.Start(t)
	sp := create(t, api, spec("replicas: 2"))
	sp.Status = allStatus()
	if err := api.Client.Status().Update(context.Background(), sp); err != nil {
		t.Fatal(err)
	}
	scale := &autoscalingv1.Scale{}
	if err := api.Client.SubResource("scale").Get(context.Background(), sp, scale); err != nil {
		t.Fatal(err)
	}
	if scale.Spec.Replicas != 2 || scale.Status.Replicas != 2 || scale.Status.Selector != "app.kubernetes.io/instance=copy" {
		t.Errorf("scale %+v", scale)
	}
	scale.Spec.Replicas = 7
	if err := api.Client.SubResource("scale").Update(context.Background(), sp, client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	if got := get(t, api, client.ObjectKeyFromObject(sp)); *got.Spec.Replicas != 7 {
		t.Errorf("replicas %d, want 7", *got.Spec.Replicas)
	}
	scale.Spec.Replicas = 1001
	scale.ResourceVersion = ""
	if err := api.Client.SubResource("scale").Update(context.Background(), sp, client.WithSubResourceBody(scale)); err == nil {
		t.Error("the server accepts 1001 replicas")
	}
}

func TestKubectlScale(t *testing.T) {
	api := controllerstest.Start(t)
	for name, c := range map[string]struct {
		spec string
		args []string
	}{
		"replicas":    {"replicas: 1", []string{"--current-replicas", "1", "--replicas", "5"}},
		"no replicas": {"replicas: null", []string{"--replicas", "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			sp := create(t, api, spec(c.spec))
			if out, err := api.Kubectl(t, "", append([]string{"scale", "sp/copy", "-n", sp.Namespace}, c.args...)...); err != nil {
				t.Fatalf("%s%v", out, err)
			}
			if got := get(t, api, client.ObjectKeyFromObject(sp)); *got.Spec.Replicas != 5 {
				t.Errorf("replicas %d, want 5", *got.Spec.Replicas)
			}
		})
	}
}
