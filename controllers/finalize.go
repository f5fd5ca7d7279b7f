package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// groupFinalizer keeps a StreamProcessor until its consumer group is deleted. It
// is there only where that is asked for: what needs no cleaning up should not
// depend on an operator to go.
const groupFinalizer = "millrace.dev/consumer-group"

// keepFinalizer has the finalizer there when the group is to be deleted, and not
// otherwise.
func (r *Reconciler) keepFinalizer(ctx context.Context, s *scope) error {
	before := s.sp.DeepCopy()
	var changed bool
	if s.sp.Spec.DeletionPolicy == v1alpha1.DeleteGroup {
		changed = controllerutil.AddFinalizer(s.sp, groupFinalizer)
	} else {
		changed = controllerutil.RemoveFinalizer(s.sp, groupFinalizer)
	}
	if !changed {
		return nil
	}
	return r.writeFinalizers(ctx, s, before)
}

// writeFinalizers goes by the resourceVersion: a list is replaced as a whole.
func (r *Reconciler) writeFinalizers(ctx context.Context, s *scope, before *v1alpha1.StreamProcessor) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, s.sp, patch, client.FieldOwner(resources.Manager)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the finalizers: %w", err)
	}
	return nil
}

// finalize deletes the consumer group once no pod uses it any more, and then lets
// the StreamProcessor go. All other objects go with it by themselves.
func (r *Reconciler) finalize(ctx context.Context, s *scope) error {
	if !controllerutil.ContainsFinalizer(s.sp, groupFinalizer) {
		return nil
	}
	if stillThere, err := r.refresh(ctx, s); err != nil || !stillThere {
		return err
	}
	if s.sp.Spec.DeletionPolicy != v1alpha1.DeleteGroup {
		return r.letGo(ctx, s)
	}
	if err := r.stopPods(ctx, s); err != nil {
		return err
	}
	if len(s.observed.Pods) > 0 {
		s.waitFor(gone)
		return nil
	}
	others, err := r.sameGroup(ctx, s.sp)
	switch {
	case err != nil:
		return err
	case len(others) > 0:
		return r.keepGroup(ctx, s, "StreamProcessor "+client.ObjectKeyFromObject(&others[0]).String()+" uses it too")
	case len(s.observed.Credentials.Missing) > 0:
		// Whoever deletes a namespace deletes its Secrets too: nothing can be
		// asked without them, and waiting would keep the namespace for ever.
		return r.keepGroup(ctx, s, s.observed.Credentials.Missing[0])
	}
	return r.deleteGroup(ctx, s)
}

// refresh asks the API server for the finalizers: the cache is often behind the
// status that was just written, and may even hold what is gone. Its group would be
// deleted again, which by then may be its successor's.
func (r *Reconciler) refresh(ctx context.Context, s *scope) (stillThere bool, err error) {
	live := &v1alpha1.StreamProcessor{}
	err = r.Reader.Get(ctx, s.key, live)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read the finalizers: %w", err)
	}
	if err != nil || live.UID != s.sp.UID {
		return false, nil
	}
	s.sp.Finalizers, s.sp.ResourceVersion = live.Finalizers, live.ResourceVersion
	return controllerutil.ContainsFinalizer(s.sp, groupFinalizer), nil
}

// keepGroup lets the StreamProcessor go without deleting its group.
func (r *Reconciler) keepGroup(ctx context.Context, s *scope, why string) error {
	r.Events.Eventf(s.sp, nil, corev1.EventTypeWarning, "GroupKept", "DeleteGroup",
		"consumer group %q was not deleted: %s", resources.GroupID(s.sp), note(why))
	return r.letGo(ctx, s)
}

// stopPods deletes the Deployment: its own deletion would come only after this
// one's.
func (r *Reconciler) stopPods(ctx context.Context, s *scope) error {
	d := s.observed.Deployment
	if d == nil || d.DeletionTimestamp != nil {
		return nil
	}
	if err := r.Client.Delete(ctx, d, client.PropagationPolicy("Background")); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the Deployment: %w", err)
	}
	s.waitFor(gone)
	return nil
}

func (r *Reconciler) letGo(ctx context.Context, s *scope) error {
	before := s.sp.DeepCopy()
	controllerutil.RemoveFinalizer(s.sp, groupFinalizer)
	return r.writeFinalizers(ctx, s, before)
}
