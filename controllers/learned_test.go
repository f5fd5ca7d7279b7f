package controllers

import (
	"reflect"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/scaling"
)

// forget starts the operator again. Neither it nor its pollers know the past.
func (w *world) forget() {
	w.restart()
	w.kafka.mu.Lock()
	defer w.kafka.mu.Unlock()
	w.kafka.history = nil
}

// TestAutoscalingGoesOnAfterARestart: no record has arrived for nearly five minutes when
// the operator ends, so the pod stops soon after the operator is back.
func TestAutoscalingGoesOnAfterARestart(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{MaxReplicas: 3})
	w.sees(0)
	w.sees(10)
	w.settle()
	for range 55 { // of 5 s
		w.sees(0)
	}
	if w.pods() != 1 {
		t.Fatalf("%d pods before the restart", w.pods())
	}
	if st := w.status().Autoscaling; st == nil || st.Idle == nil || st.LastChange == nil {
		t.Fatalf("the status keeps %+v", st)
	}
	w.forget()
	for n := range 10 {
		w.sees(0)
		if w.pods() == 0 {
			t.Logf("%d looks after the restart", n+1)
			return
		}
	}
	t.Errorf("%d pods are left: %+v", w.pods(), w.status())
}

// TestHistoryIsOfOneTopic: the offsets of another topic do not count as new records.
func TestHistoryIsOfOneTopic(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{MaxReplicas: 3})
	for range 5 {
		w.sees(10)
		w.settle()
	}
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Input.Topic = "payments"
	w.must(w.Update(t.Context(), sp))
	w.kafka.history = nil
	w.sees(1_000_000_000)
	history := &w.r.autoscaler.kept.get(worldKey).history
	if m := scaling.Measure(history); m.ArrivedPerSecond != 0 || m.Lag != 6_000_000_000 {
		t.Errorf("after one look at the other topic: %+v", m)
	}
}

// TestASteadyStateKeepsWhatItHasLearnt: the operator does not write the status again in
// the steady state.
func TestASteadyStateKeepsWhatItHasLearnt(t *testing.T) {
	w := autoscaled(t, v1alpha1.AutoscalingSpec{MinReplicas: 2, MaxReplicas: 3})
	for range 20 {
		w.sees(0)
		w.settle()
	}
	before := w.version()
	for range 100 {
		w.sees(0)
	}
	if after := w.version(); after != before {
		t.Errorf("the StreamProcessor was written: version %s, then %s: %+v", before, after, w.status().Autoscaling)
	}
}

func (w *world) version() string {
	w.Helper()
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(w.Context(), worldKey, sp))
	return sp.ResourceVersion
}

func TestWhatIsLearnedIsKeptWhole(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	l := scaling.Learned{
		Capacity: 120, Pause: 3 * time.Second,
		Idle:   scaling.IdleSince{Since: at, Ends: 99},
		Enough: []scaling.EnoughSince{{Pods: 2, Since: at}},
		Useless: []scaling.UselessRaise{
			{From: 1, To: 2, Enough: 1, Partitions: []int32{0, 3}, At: at},
			{CPU: true, From: 1000, To: 2000, Enough: 1000, At: at},
		},
	}
	if got := learnedFrom(learned(l, at)); !reflect.DeepEqual(got, l) {
		t.Errorf("kept %+v\nof %+v", got, l)
	}
}
