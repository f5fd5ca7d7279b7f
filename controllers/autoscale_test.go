package controllers

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// autoscaled returns a world with a StreamProcessor that has spec.autoscaling.
func autoscaled(t *testing.T, spec v1alpha1.AutoscalingSpec) *world {
	t.Helper()
	w := newWorld(t, 1)
	w.processor(&spec)
	return w
}

// sees gives Kafka's poller an input topic with n unprocessed records in each partition,
// and reconciles.
func (w *world) sees(n int64) (result ctrl.Result) {
	w.Helper()
	partitions := make([]kafkawatch.Partition, 6)
	for i := range partitions {
		partitions[i] = kafkawatch.Partition{End: n, Committed: -1}
	}
	now := w.clock.Now()
	w.kafka.change(func(f *kafkawatch.Facts) { f.At, f.Partitions = now, partitions })
	w.kafka.mu.Lock()
	w.kafka.history = append(w.kafka.history, kafkawatch.Sample{At: now, Partitions: partitions})
	w.kafka.mu.Unlock()
	result, err := w.r.Reconcile(w.Context(), ctrl.Request{NamespacedName: worldKey})
	w.must(err)
	w.clock.SetTime(now.Add(scaleInterval))
	return result
}

func (w *world) pods() int32 {
	w.Helper()
	d := &appsv1.Deployment{}
	w.must(w.Get(w.Context(), types.NamespacedName{Namespace: worldKey.Namespace, Name: worldKey.Name + "-worker"}, d))
	return *d.Spec.Replicas
}

func (w *world) status() v1alpha1.StreamProcessorStatus {
	w.Helper()
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(w.Context(), worldKey, sp))
	return sp.Status
}

// TestNewRecordsStartAPod: new records start a pod when none runs, and the status has
// the figures. While the pod runs, the operator looks again, since it may have to stop it.
func TestNewRecordsStartAPod(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{MaxReplicas: 3})
	if result := w.sees(0); w.pods() != 0 || result.RequeueAfter != 0 {
		t.Errorf("with nothing to do: %d pods, looked at again in %v", w.pods(), result.RequeueAfter)
	}
	result := w.sees(10)
	if w.pods() != 1 {
		t.Errorf("%d pods; want 1", w.pods())
	}
	d := w.status().LastScaleDecision
	if d == nil || d.From != 0 || d.To != 1 || d.Cap != 3 || d.Reason != "NewRecords" || d.Inputs.Lag != 60 || d.Inputs.Partitions != 6 || d.Message == "" {
		t.Errorf("the decision: %+v", d)
	}
	if result.RequeueAfter != scaleInterval {
		t.Errorf("looked at again in %v; want %v", result.RequeueAfter, scaleInterval)
	}
}

// TestRecommendOnly: the operator recommends once, and runs the pods of the spec.
func TestRecommendOnly(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{MinReplicas: 2, MaxReplicas: 3, Mode: v1alpha1.RecommendOnly})
	w.sees(0)
	w.sees(0)
	first := w.status().LastScaleDecision
	if w.pods() != 1 || first == nil || first.To != 2 {
		t.Fatalf("%d pods, recommended %+v", w.pods(), first)
	}
	w.sees(0)
	if again := w.status().LastScaleDecision; !again.At.Equal(&first.At) {
		t.Errorf("recommended again at %v, first at %v", again.At, first.At)
	}
}

// TestNothingIsDecidedWhileSuspended: autoscaling does not decide while records wait for
// a suspended StreamProcessor.
func TestNothingIsDecidedWhileSuspended(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{MaxReplicas: 3})
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Suspend = true
	w.must(w.Update(t.Context(), sp))
	w.sees(10)
	w.clock.SetTime(w.clock.Now().Add(time.Minute))
	w.sees(100)
	if w.pods() != 0 || w.status().LastScaleDecision != nil {
		t.Errorf("%d pods, decided %+v", w.pods(), w.status().LastScaleDecision)
	}
}

// TestRaisedCPUIsLookedAtAgain: the operator has to take raised CPU back, although neither
// the number of pods nor Kafka gives a reason to look.
func TestRaisedCPUIsLookedAtAgain(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{
		MinReplicas: 1, MaxReplicas: 1, Vertical: &v1alpha1.VerticalScaling{MaxCPU: resource.MustParse("2")},
	})
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Template = overlay(`{"containers": [{"name": "worker", "resources": {"limits": {"cpu": "1"}}}]}`)
	w.must(w.Update(t.Context(), sp))
	w.sees(0)
	w.settle()
	if result := w.sees(0); result.RequeueAfter != 0 {
		t.Errorf("at rest, it is looked at again in %v", result.RequeueAfter)
	}
	d := &appsv1.Deployment{}
	w.must(w.Get(t.Context(), types.NamespacedName{Namespace: worldKey.Namespace, Name: worldKey.Name + "-worker"}, d))
	d.Annotations["millrace.dev/milli-cpu"] = "2000"
	w.must(w.Update(t.Context(), d))
	if result := w.sees(0); result.RequeueAfter != scaleInterval {
		t.Errorf("with more CPU it is looked at again in %v, want %v", result.RequeueAfter, scaleInterval)
	}
}
