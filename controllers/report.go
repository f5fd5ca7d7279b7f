package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// figuresInterval is the shortest time between two writes of the status that change only
// the lag. While records flow, the lag changes with each look at the cluster, and each
// write wakes everybody who watches.
const figuresInterval = 10 * time.Second

// reporter writes the status and the events.
type reporter struct {
	client  client.Client
	events  events.EventRecorder
	clock   clock.PassiveClock
	metrics *Metrics
	groups  *groups

	kept kept[reported]
}

// reported is the state of the reports about one StreamProcessor.
type reported struct {
	at   time.Time // of the last write of the status
	news news
}

func (r *reporter) forget(key types.NamespacedName) { r.kept.forget(key) }

// news returns the news about a StreamProcessor that no status has reported yet.
func (r *reporter) news(key types.NamespacedName) *news { return &r.kept.get(key).news }

// report writes the status, once, if it has changed, and records events for the changes.
func (r *reporter) report(ctx context.Context, s *scope) error {
	if !s.decided {
		return nil
	}
	before := s.sp.DeepCopy()
	now, last := r.clock.Now(), r.kept.get(s.key)
	r.groups.record(s)
	s.fillStatus(metav1.NewTime(now))
	r.metrics.reported(s)
	if equality.Semantic.DeepEqual(before.Status, s.sp.Status) {
		r.deliver(s)
		return nil
	}
	if left := figuresInterval - now.Sub(last.at); left > 0 && onlyFigures(before.Status, s.sp.Status) {
		s.waitFor(left)
		return nil
	}
	// A patch would leave out fields that are zero at the start and stay so.
	switch err := r.client.Status().Update(ctx, s.sp, client.FieldOwner(resources.Manager)); {
	case apierrors.IsConflict(err):
		// The cache is behind. Its next event triggers another reconciliation, and so
		// does the clock.
		s.waitFor(time.Second)
		return nil
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("write the status: %w", err)
	case err != nil:
		return nil
	}
	last.at = now
	r.deliver(s)
	r.announce(s, &before.Status)
	return nil
}

// fillStatus sets all of the status.
func (s *scope) fillStatus(now metav1.Time) {
	st := &s.sp.Status
	// The conditions depend on the status of before, so they come first.
	conditions, again := s.plan.Conditions(s.observed)
	if again > 0 {
		s.waitFor(again)
	}
	st.ObservedGeneration = s.sp.Generation
	st.Selector = resources.Selector(s.sp.Name).String()
	st.Replicas, st.ReadyReplicas = 0, 0
	if d := s.observed.Deployment; d != nil {
		st.Replicas, st.ReadyReplicas = d.Status.Replicas, d.Status.ReadyReplicas
	}
	st.Input = s.input().status()
	st.Expressions = s.observed.Expressions.Status(st.Expressions)
	st.StuckPartitions = s.observed.Kafka.Stuck
	st.Losses = s.observed.Kafka.Losses
	s.fillScaling()
	status.Set(&st.Conditions, s.sp.Generation, now, conditions...)
}

// fillScaling sets the status' parts about autoscaling.
func (s *scope) fillScaling() {
	st := &s.sp.Status
	if d := s.news.decision; d != nil {
		st.LastScaleDecision = d
	}
	a := s.sp.Spec.Autoscaling
	switch {
	case a == nil:
		st.Autoscaling = nil
	case s.learned != nil:
		st.Autoscaling = s.learned
	}
	st.Vertical = nil
	if cpu := cmp.Or(s.plan.CPU, s.observed.CPU.Base); a != nil && a.Vertical != nil && cpu > 0 {
		st.Vertical = &v1alpha1.VerticalStatus{
			CPU: *resource.NewMilliQuantity(cpu, resource.DecimalSI), ResizedReplicas: s.observed.CPU.Resized(cpu),
		}
	}
}

// onlyFigures reports whether only figures differ: the size of the lag, and how often
// processes have failed. A lag that begins or ends is reported at once, since somebody may
// wait for that.
func onlyFigures(before, after v1alpha1.StreamProcessorStatus) bool {
	a, b := before.Input, after.Input
	if a == nil || b == nil || (a.Lag == 0) != (b.Lag == 0) || a.Partitions != b.Partitions || a.PartitionsSource != b.PartitionsSource {
		return false
	}
	before.Input, after.Input = nil, nil
	before.Autoscaling, after.Autoscaling = nil, nil
	before.Conditions, after.Conditions = withoutCount(before.Conditions), withoutCount(after.Conditions)
	return equality.Semantic.DeepEqual(before, after)
}

// withoutCount returns the conditions without the message of ProcessorFailing, which counts
// failures.
func withoutCount(conditions []metav1.Condition) []metav1.Condition {
	conditions = slices.Clone(conditions)
	if c := meta.FindStatusCondition(conditions, status.ProcessorFailing); c != nil {
		c.Message = ""
	}
	return conditions
}

// announced are the conditions that get an event when they appear. The event about Ready
// covers the others.
var announced = []string{status.PartitionCapped, status.StuckPartition, status.ProcessorFailing, status.OffsetsGone}

// deliver records the events about the news, now that the status has them.
func (r *reporter) deliver(s *scope) {
	u := *s.news
	*s.news = news{}
	if u.scaled != "" {
		r.events.Eventf(s.sp, nil, corev1.EventTypeNormal, "Scaled", "Scale", "%s", note(u.scaled))
	}
	if d := u.decision; d != nil && d.CPU != nil && s.plan.CPU == d.CPU.To.MilliValue() {
		r.events.Eventf(s.sp, nil, corev1.EventTypeNormal, "Resized", "Scale", "each pod gets %s of CPU instead of %s: %s",
			d.CPU.To.String(), d.CPU.From.String(), note(d.Message))
	}
}

// announce records events for the changes since the status of before.
func (r *reporter) announce(s *scope, before *v1alpha1.StreamProcessorStatus) {
	r.announceConditions(s, before.Conditions)
	var lost []string
	for _, loss := range newLosses(before.Losses, s.sp.Status.Losses) {
		lost = append(lost, plan.LossMessage(loss))
	}
	if len(lost) > 0 {
		r.events.Eventf(s.sp, nil, corev1.EventTypeWarning, status.RecordsLost, "Reconcile", "%s", note(strings.Join(lost, "; ")))
	}
}

func (r *reporter) announceConditions(s *scope, before []metav1.Condition) {
	after := s.sp.Status.Conditions
	r.announceState(s, before, after)
	for _, name := range announced {
		if added := meta.FindStatusCondition(after, name); added != nil && meta.FindStatusCondition(before, name) == nil {
			r.events.Eventf(s.sp, nil, corev1.EventTypeWarning, added.Reason, "Reconcile", "%s", note(added.Message))
		}
	}
}

// announceState records an event when Ready has a new reason, when that becomes the
// reason of Stalled, and when the operator can't reach Kafka although Ready does not show
// it.
func (r *reporter) announceState(s *scope, before, after []metav1.Condition) {
	old, ready := meta.FindStatusCondition(before, status.Ready), meta.FindStatusCondition(after, status.Ready)
	stalled := meta.FindStatusCondition(after, status.Stalled)
	switch {
	case old == nil || old.Reason != ready.Reason:
		kind := corev1.EventTypeNormal
		if stalled != nil || !status.Ordinary(ready.Reason) {
			kind = corev1.EventTypeWarning
		}
		r.events.Eventf(s.sp, nil, kind, ready.Reason, "Reconcile", "%s", note(ready.Message))
	case stalled != nil && meta.FindStatusCondition(before, status.Stalled) == nil:
		r.events.Eventf(s.sp, nil, corev1.EventTypeWarning, stalled.Reason, "Reconcile", "%s", note(stalled.Message))
	}
	reached := meta.FindStatusCondition(after, status.KafkaReachable)
	if reached != nil && reached.Status == metav1.ConditionFalse && reached.Reason != ready.Reason &&
		!meta.IsStatusConditionFalse(before, status.KafkaReachable) {
		r.events.Eventf(s.sp, nil, corev1.EventTypeWarning, reached.Reason, "Reconcile", "%s", note(reached.Message))
	}
}

// note cuts a message to the length that the API server accepts in an event.
func note(message string) string {
	const longest = 1024
	if len(message) <= longest {
		return message
	}
	return message[:longest-3] + "..."
}
