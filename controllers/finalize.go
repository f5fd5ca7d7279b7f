package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
	"github.com/millrace-dev/millrace/worker/config"
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

// forceAnnotation, set to "true", lets a StreamProcessor that is deleted go at once,
// without its group.
const forceAnnotation = "millrace.dev/force-delete"

// deletionPatience is how long a group's deletion is tried after the pods have had
// their time to end. A namespace is often deleted with its Kafka, and nothing would
// ever answer.
const deletionPatience = 2 * time.Minute

// giveUp lets the StreamProcessor go without deleting its group where that is forced
// or has been tried for long enough. It comes first, since whatever else fails must
// not keep a namespace for ever.
func (r *Reconciler) giveUp(ctx context.Context, s *scope) error {
	if !controllerutil.ContainsFinalizer(s.sp, groupFinalizer) || s.sp.Spec.DeletionPolicy != v1alpha1.DeleteGroup {
		return nil
	}
	left := s.deletionDeadline().Sub(r.Clock.Now())
	forced := s.sp.Annotations[forceAnnotation] == "true"
	if !forced && left > 0 {
		s.waitFor(left)
		return nil
	}
	if stillThere, err := r.refresh(ctx, s); err != nil || !stillThere {
		return err
	}
	if forced {
		return r.keepGroup(ctx, s, "the annotation "+forceAnnotation+" is set")
	}
	return r.keepGroup(ctx, s, fmt.Sprintf("it could not be deleted within %v (%s)", s.deletionTime(), s.lastTrouble()))
}

func (s *scope) deletionDeadline() time.Time {
	return s.sp.DeletionTimestamp.Add(s.deletionTime())
}

func (s *scope) deletionTime() time.Duration {
	return (config.KillTimeout(s.sp.Spec.DrainTimeout.Duration) + deletionPatience).Round(time.Second)
}

// lastTrouble is what the status says of Kafka: it is not asked about any more.
func (s *scope) lastTrouble() string {
	if c := meta.FindStatusCondition(s.sp.Status.Conditions, status.KafkaReachable); c != nil && c.Status != metav1.ConditionTrue {
		return c.Message
	}
	return "its pods, or other members, may still be there"
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
	user, err := r.keepsGroup(ctx, s.sp)
	switch {
	case err != nil:
		return err
	case user != "":
		return r.keepGroup(ctx, s, user+" uses it too")
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
		"consumer group %q was not deleted: %s; if it is not needed, delete it with kafka-consumer-groups.sh --delete --group %s",
		resources.GroupID(s.sp), note(why), resources.GroupID(s.sp))
	ctrl.LoggerFrom(ctx).Info("kept a consumer group", "group", resources.GroupID(s.sp), "why", why)
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
