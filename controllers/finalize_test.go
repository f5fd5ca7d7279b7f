package controllers

import (
	"context"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// TestDeletionWithACacheBehind: the operator deletes a group once, and never for a
// StreamProcessor that is gone: the group may be its successor's by then.
func TestDeletionWithACacheBehind(t *testing.T) {
	t.Run("status written since", func(t *testing.T) {
		w, stale := deleting(t)
		live := stale.DeepCopy()
		live.Status.Replicas = 7
		w.must(w.Status().Update(t.Context(), live))
		w.must(w.reconcileBehind(stale))
		if err := w.Get(t.Context(), worldKey, live); !apierrors.IsNotFound(err) {
			t.Errorf("it is still there: %v", err)
		}
		w.must(w.reconcileBehind(stale)) // an event that came before its end
		if w.kafka.asked != 1 {
			t.Errorf("the group was to be deleted %d times; want once", w.kafka.asked)
		}
	})
	t.Run("successor", func(t *testing.T) {
		w, stale := deleting(t)
		live := stale.DeepCopy()
		live.Finalizers = nil
		w.must(w.Update(t.Context(), live))
		w.processor(nil)
		w.must(w.Get(t.Context(), worldKey, live))
		live.UID, live.Finalizers = "2", stale.Finalizers
		w.must(w.Update(t.Context(), live))
		w.must(w.reconcileBehind(stale))
		w.must(w.Get(t.Context(), worldKey, live))
		if w.kafka.asked != 0 || len(live.Finalizers) != 1 {
			t.Errorf("the group of the successor was to be deleted %d times; its finalizers are %q", w.kafka.asked, live.Finalizers)
		}
	})
}

// TestDeletionGivesUp: the operator gives up when Kafka has not answered for long, as
// when it was deleted with the namespace, or at once if the annotation forces it. No
// other failure prevents that.
func TestDeletionGivesUp(t *testing.T) {
	unanswered := func(t *testing.T) (*world, *v1alpha1.StreamProcessor) {
		w, sp := deleting(t)
		w.kafka.deletion = kafkawatch.Deletion{Err: errNoBroker}
		w.clock.SetTime(sp.DeletionTimestamp.Time)
		w.reconcile()
		w.must(w.Get(t.Context(), worldKey, sp))
		if w.kafka.asked != 1 || !strings.Contains(conditionOf(sp, "KafkaReachable"), "connection refused") {
			t.Fatalf("asked %d times, conditions %+v", w.kafka.asked, sp.Status.Conditions)
		}
		return w, sp
	}
	gone := func(w *world, words ...string) {
		w.Helper()
		if err := w.Get(t.Context(), worldKey, &v1alpha1.StreamProcessor{}); !apierrors.IsNotFound(err) {
			w.Errorf("it is still there: %v", err)
		}
		words = append(words, "Warning", `"millrace-shop.enrich"`, "kafka-consumer-groups.sh")
		if said := w.said("GroupKept"); !containsWords(said, words) {
			w.Errorf("the event is %q, want %q", said, words)
		}
	}
	t.Run("deadline", func(t *testing.T) {
		w, sp := unanswered(t)
		w.clock.SetTime(sp.DeletionTimestamp.Add(2 * time.Minute)) // the pods' time to end is added
		w.reconcile()
		w.must(w.Get(t.Context(), worldKey, sp))
		w.clock.SetTime(sp.DeletionTimestamp.Add(2*time.Minute + 30*time.Second))
		w.reconcile()
		gone(w, "within 2m30s", "connection refused")
	})
	t.Run("forced", func(t *testing.T) {
		w, sp := unanswered(t)
		sp.Annotations = map[string]string{"millrace.dev/force-delete": "false"}
		w.must(w.Update(t.Context(), sp))
		w.reconcile()
		w.must(w.Get(t.Context(), worldKey, sp))
		sp.Annotations = map[string]string{"millrace.dev/force-delete": "true"}
		w.must(w.Update(t.Context(), sp))
		w.intercept(interceptor.Funcs{
			List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
				return errInjected
			},
		})
		w.reconcile()
		gone(w, "millrace.dev/force-delete")
	})
	t.Run("asked for again in time", func(t *testing.T) {
		w, sp := unanswered(t)
		result, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: worldKey})
		if left := sp.DeletionTimestamp.Add(2*time.Minute + 30*time.Second).Sub(w.clock.Now()); err != nil || result.RequeueAfter <= 0 || result.RequeueAfter > left {
			t.Errorf("it is looked at again after %v, error %v", result.RequeueAfter, err)
		}
	})
}

func conditionOf(sp *v1alpha1.StreamProcessor, kind string) string {
	if c := meta.FindStatusCondition(sp.Status.Conditions, kind); c != nil {
		return c.Message
	}
	return ""
}

// deleting returns a StreamProcessor that is being deleted with its group.
func deleting(t *testing.T) (*world, *v1alpha1.StreamProcessor) {
	w := newWorld(t, 1)
	w.kafka.deletion.Done = true
	w.processor(nil)
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.DeletionPolicy = v1alpha1.DeleteGroup
	sp.Finalizers = []string{groupFinalizer}
	w.must(w.Update(t.Context(), sp))
	w.must(w.Delete(t.Context(), sp))
	w.must(w.Get(t.Context(), worldKey, sp))
	return w, sp
}

// reconcileBehind reconciles with a cache that holds an old version.
func (w *world) reconcileBehind(old *v1alpha1.StreamProcessor) error {
	w.intercept(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if sp, ok := o.(*v1alpha1.StreamProcessor); ok {
				old.DeepCopyInto(sp)
				return nil
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	_, err := w.r.Reconcile(w.Context(), ctrl.Request{NamespacedName: worldKey})
	return err
}
