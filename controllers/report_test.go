package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// TestLagAloneIsWrittenNowAndThen: not at each look, but in time, and at once
// when it begins or ends.
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

// TestTheOlderHasTheGroup, and of two that are made in one second always the same.
func TestTheOlderHasTheGroup(t *testing.T) {
	sp := func(second int64, uid types.UID) *v1alpha1.StreamProcessor {
		return &v1alpha1.StreamProcessor{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Unix(second, 0), UID: uid}}
	}
	for _, c := range []struct {
		a, b *v1alpha1.StreamProcessor
		want bool
	}{
		{sp(1, "b"), sp(2, "a"), true},
		{sp(2, "a"), sp(1, "b"), false},
		{sp(1, "a"), sp(1, "b"), true},
		{sp(1, "b"), sp(1, "a"), false},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("%v %s, %v %s: %v", c.a.CreationTimestamp, c.a.UID, c.b.CreationTimestamp, c.b.UID, got)
		}
	}
}
