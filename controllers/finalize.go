package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// groupFinalizer keeps a StreamProcessor until its consumer group is deleted. Only
// StreamProcessors with DeleteGroup have it: the others can be deleted without an
// operator.
const groupFinalizer = "millrace.dev/consumer-group"

// finalizers deletes the consumer groups of StreamProcessors that are being deleted.
type finalizers struct {
	client client.Client
	reader client.Reader
	events events.EventRecorder
	clock  clock.PassiveClock
	kafka  KafkaWatch
	groups *groups
}

// keepFinalizer adds the finalizer if the spec asks to delete the group, and removes it
// otherwise.
func (f *finalizers) keepFinalizer(ctx context.Context, s *scope) error {
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
	return f.write(ctx, s, before)
}

// write replaces the list of finalizers as a whole. It fails if the resourceVersion is
// not the present one.
func (f *finalizers) write(ctx context.Context, s *scope, before *v1alpha1.StreamProcessor) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := f.client.Patch(ctx, s.sp, patch, client.FieldOwner(resources.Manager)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the finalizers: %w", err)
	}
	return nil
}

// forceAnnotation, set to "true", lets a StreamProcessor that is being deleted go at
// once. Its group stays.
const forceAnnotation = "millrace.dev/force-delete"

// deletionPatience is the time for which the operator tries to delete a group after the
// pods' time to end. A namespace is often deleted together with its Kafka, and then
// nothing ever answers.
const deletionPatience = 2 * time.Minute

// giveUp lets the StreamProcessor go without deleting its group if the annotation forces
// that, or after the deadline. It is the first phase, since no other failure may keep a
// namespace for ever.
func (f *finalizers) giveUp(ctx context.Context, s *scope) error {
	if !controllerutil.ContainsFinalizer(s.sp, groupFinalizer) || s.sp.Spec.DeletionPolicy != v1alpha1.DeleteGroup {
		return nil
	}
	left := s.sp.DeletionTimestamp.Add(deletionTime(s.sp)).Sub(f.clock.Now())
	forced := s.sp.Annotations[forceAnnotation] == "true"
	if !forced && left > 0 {
		s.waitFor(left)
		return nil
	}
	if stillThere, err := f.refresh(ctx, s); err != nil || !stillThere {
		return err
	}
	if forced {
		return f.keepGroup(ctx, s, "the annotation "+forceAnnotation+" is set")
	}
	return f.keepGroup(ctx, s, fmt.Sprintf("it could not be deleted within %v (%s)", deletionTime(s.sp), lastTrouble(s.sp)))
}

// deletionTime returns the time after which the operator gives up to delete the group.
func deletionTime(sp *v1alpha1.StreamProcessor) time.Duration {
	return (config.KillTimeout(sp.Spec.DrainTimeout.Duration) + deletionPatience).Round(time.Second)
}

// lastTrouble returns the status' message about Kafka: at this point the poller is not
// asked any more.
func lastTrouble(sp *v1alpha1.StreamProcessor) string {
	if c := meta.FindStatusCondition(sp.Status.Conditions, status.KafkaReachable); c != nil && c.Status != metav1.ConditionTrue {
		return c.Message
	}
	return "its pods, or other members, may still be there"
}

// finalize deletes the consumer group when its last pod is gone, and then lets the
// StreamProcessor go. The garbage collector deletes all other objects.
func (f *finalizers) finalize(ctx context.Context, s *scope) error {
	if !controllerutil.ContainsFinalizer(s.sp, groupFinalizer) {
		return nil
	}
	if stillThere, err := f.refresh(ctx, s); err != nil || !stillThere {
		return err
	}
	if s.sp.Spec.DeletionPolicy != v1alpha1.DeleteGroup {
		return f.letGo(ctx, s)
	}
	if err := f.stopPods(ctx, s); err != nil {
		return err
	}
	if len(s.observed.Pods) > 0 {
		s.waitFor(goneInterval)
		return nil
	}
	user, err := f.groups.otherUser(ctx, s.sp)
	switch {
	case err != nil:
		return err
	case user != "":
		return f.keepGroup(ctx, s, user+" uses it too")
	case len(s.observed.Credentials.Missing) > 0:
		// Deleting a namespace deletes its Secrets too. The operator can ask nothing
		// without them, and waiting would keep the namespace for ever.
		return f.keepGroup(ctx, s, s.observed.Credentials.Missing[0])
	}
	return f.deleteGroup(ctx, s)
}

// refresh asks the API server for the finalizers. The cache is often behind the status
// that was just written, and may even hold a StreamProcessor that is gone. The operator
// would delete the group again, which by then may be the successor's.
func (f *finalizers) refresh(ctx context.Context, s *scope) (stillThere bool, err error) {
	live := &v1alpha1.StreamProcessor{}
	err = f.reader.Get(ctx, s.key, live)
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
func (f *finalizers) keepGroup(ctx context.Context, s *scope, why string) error {
	f.events.Eventf(s.sp, nil, corev1.EventTypeWarning, "GroupKept", "DeleteGroup",
		"the operator did not delete consumer group %q: %s; if nobody needs the group, delete it with kafka-consumer-groups.sh --delete --group %s",
		resources.GroupID(s.sp), note(why), resources.GroupID(s.sp))
	ctrl.LoggerFrom(ctx).Info("kept a consumer group", "group", resources.GroupID(s.sp), "why", why)
	return f.letGo(ctx, s)
}

// stopPods deletes the Deployment. The garbage collector would do so only after the
// StreamProcessor is gone.
func (f *finalizers) stopPods(ctx context.Context, s *scope) error {
	d := s.observed.Deployment
	if d == nil || d.DeletionTimestamp != nil {
		return nil
	}
	if err := f.client.Delete(ctx, d, client.PropagationPolicy("Background")); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the Deployment: %w", err)
	}
	s.waitFor(goneInterval)
	return nil
}

// deleteGroup asks the poller to delete the group until it has.
func (f *finalizers) deleteGroup(ctx context.Context, s *scope) error {
	deletion := f.kafka.DeleteGroup(s.key, target(s.sp, s.files))
	if deletion.Done {
		return f.letGo(ctx, s)
	}
	if deletion.Err != nil {
		s.observed.Kafka.Trouble = &plan.Trouble{Refused: kafka.Refused(deletion.Err), Message: deletion.Err.Error()}
	}
	return nil
}

func (f *finalizers) letGo(ctx context.Context, s *scope) error {
	before := s.sp.DeepCopy()
	controllerutil.RemoveFinalizer(s.sp, groupFinalizer)
	return f.write(ctx, s, before)
}
