package controllers

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestDeletionWithACacheBehind: a group is deleted once, and never for one that
// is gone: by then it may be its successor's.
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

// deleting has a StreamProcessor that is being deleted with its group.
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
	w.r.Client = interceptor.NewClient(w.Client.(client.WithWatch), interceptor.Funcs{
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
