package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// TestGraceOutlivesTheOperator: an operator that starts again or takes over neither
// begins nor ends the grace of a missing topic, and records each event once.
func TestGraceOutlivesTheOperator(t *testing.T) {
	w := newWorld(t, 1)
	missing := func() {
		w.kafka.change(func(f *kafkawatch.Facts) {
			*f = kafkawatch.Facts{At: w.clock.Now(), Missing: []string{"orders"}, MissingSince: w.clock.Now()}
		})
	}
	missing()
	w.processor(nil)
	began := w.clock.Now()
	expect := func(when, kind string, since time.Time, events int) {
		t.Helper()
		s := w.next()
		for _, other := range []string{"Reconciling", "Stalled"} {
			c := meta.FindStatusCondition(s.Conditions, other)
			if (c != nil) != (other == kind) {
				t.Errorf("%s: %s is %+v; want %s", when, other, c, kind)
			}
			if c != nil && (c.Reason != "TopicNotFound" || !c.LastTransitionTime.Equal(new(metav1.NewTime(since)))) {
				t.Errorf("%s: %s for %s since %v; want since %v", when, c.Type, c.Reason, c.LastTransitionTime, since)
			}
		}
		if told := w.told("TopicNotFound"); len(told) != events {
			t.Errorf("%s: the events %q", when, told)
		}
	}
	restart := func() {
		w.restart()
		w.kafka.change(func(f *kafkawatch.Facts) { *f = kafkawatch.Facts{} })
	}
	expect("at first", "Reconciling", began, 1)
	w.clock.SetTime(began.Add(time.Minute))
	if result, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: worldKey}); err != nil || result.RequeueAfter != time.Minute {
		t.Errorf("half of the grace is left: again in %v, error %v", result.RequeueAfter, err)
	}
	restart()
	expect("after a start", "Reconciling", began, 0)
	missing()
	expect("when Kafka has answered", "Reconciling", began, 0)
	end := began.Add(2 * time.Minute)
	w.clock.SetTime(end)
	expect("at the end of the grace", "Stalled", end, 1)
	restart()
	expect("after another start", "Stalled", end, 0)
	missing()
	expect("when Kafka has answered again", "Stalled", end, 0)
	w.kafka.change(func(f *kafkawatch.Facts) {
		*f = kafkawatch.Facts{At: w.clock.Now(), Partitions: make([]kafkawatch.Partition, 6)}
	})
	if s := w.next(); meta.FindStatusCondition(s.Conditions, "Stalled") != nil {
		t.Errorf("with the topic: %+v", s.Conditions)
	}
}
