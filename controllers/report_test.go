package controllers

import (
	"testing"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// TestLagAloneIsWrittenNowAndThen: the operator writes a changed lag at most every
// figuresInterval, and at once when the lag begins or ends.
func TestLagAloneIsWrittenNowAndThen(t *testing.T) {
	w := newWorld(t, 1)
	w.run()
	lag := func(n int64) {
		w.kafka.change(func(f *kafkawatch.Facts) { f.Partitions[0].End = n })
	}
	look := func() (written int64, again time.Duration) {
		t.Helper()
		result, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: worldKey})
		if err != nil {
			t.Fatal(err)
		}
		sp := &v1alpha1.StreamProcessor{}
		w.must(w.Get(t.Context(), worldKey, sp))
		return sp.Status.Input.Lag, result.RequeueAfter
	}
	pass := func(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }
	lag(5)
	if written, _ := look(); written != 5 {
		t.Errorf("its beginning: %d is written", written)
	}
	pass(time.Second)
	lag(6)
	written, again := look()
	if written != 5 || again != figuresInterval-time.Second {
		t.Errorf("a second later: %d is written, and looked at again in %v", written, again)
	}
	pass(again)
	if written, _ := look(); written != 6 {
		t.Errorf("in time: %d is written", written)
	}
	lag(0)
	if written, _ := look(); written != 0 {
		t.Errorf("its end: %d is written", written)
	}
}
