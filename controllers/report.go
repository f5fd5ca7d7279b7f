package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// figuresInterval is how often the status follows the lag alone. While records
// flow it changes with each look at the cluster, and each write wakes everybody
// who watches.
const figuresInterval = 10 * time.Second

// report writes the status, once, if it has changed, and tells of the changes by
// events.
func (r *Reconciler) report(ctx context.Context, s *scope) error {
	if !s.decided {
		return nil
	}
	before := s.sp.DeepCopy()
	now := r.Clock.Now()
	r.recordGroup(s)
	s.fillStatus(metav1.NewTime(now))
	r.Metrics.reported(s)
	if equality.Semantic.DeepEqual(before.Status, s.sp.Status) {
		r.deliver(s)
		return nil
	}
	if left := figuresInterval - now.Sub(s.memory.reported); left > 0 && onlyFigures(before.Status, s.sp.Status) {
		s.waitFor(left)
		return nil
	}
	// Not a patch: that would leave out what is zero at the start and stays so.
	switch err := r.Client.Status().Update(ctx, s.sp, client.FieldOwner(resources.Manager)); {
	case apierrors.IsConflict(err):
		// The cache is behind; its next event brings us here again, and so does
		// the clock.
		s.waitFor(time.Second)
		return nil
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("write the status: %w", err)
	case err != nil:
		return nil
	}
	s.memory.reported = now
	r.deliver(s)
	r.announce(s, &before.Status)
	return nil
}

// fillStatus puts together all of the status.
func (s *scope) fillStatus(now metav1.Time) {
	st := &s.sp.Status
	// First, as they go by the status before.
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
	s.fillInput()
	st.StuckPartitions = s.observed.Kafka.Stuck
	st.Losses = s.observed.Kafka.Losses
	s.fillScaling()
	status.Set(&st.Conditions, s.sp.Generation, now, conditions...)
}

// onlyFigures reports whether nothing but the lag differs, and that by more or
// less only: somebody who waits for it to begin or to end is told at once.
func onlyFigures(before, after v1alpha1.StreamProcessorStatus) bool {
	a, b := before.Input, after.Input
	if a == nil || b == nil || (a.Lag == 0) != (b.Lag == 0) || a.Partitions != b.Partitions || a.PartitionsSource != b.PartitionsSource {
		return false
	}
	before.Input, after.Input = nil, nil
	before.Autoscaling, after.Autoscaling = nil, nil
	return equality.Semantic.DeepEqual(before, after)
}

// announced are the conditions whose coming is worth an event of its own; Ready's
// event tells of the others.
var announced = []string{status.PartitionCapped, status.StuckPartition, status.OffsetsGone}

// announce records events for what has changed since the status before.
func (r *Reconciler) announce(s *scope, before *v1alpha1.StreamProcessorStatus) {
	r.announceConditions(s, before.Conditions)
	var lost []string
	for _, loss := range newLosses(before.Losses, s.sp.Status.Losses) {
		lost = append(lost, plan.LossMessage(loss))
	}
	if len(lost) > 0 {
		r.Events.Eventf(s.sp, nil, corev1.EventTypeWarning, status.RecordsLost, "Reconcile", "%s", note(strings.Join(lost, "; ")))
	}
}

func (r *Reconciler) announceConditions(s *scope, before []metav1.Condition) {
	after := s.sp.Status.Conditions
	r.announceState(s, before, after)
	for _, name := range announced {
		if is := meta.FindStatusCondition(after, name); is != nil && meta.FindStatusCondition(before, name) == nil {
			r.Events.Eventf(s.sp, nil, corev1.EventTypeWarning, is.Reason, "Reconcile", "%s", note(is.Message))
		}
	}
}

// announceState tells when Ready has another reason, when that becomes one of Stalled,
// and when Kafka can't be reached although Ready says nothing of it.
func (r *Reconciler) announceState(s *scope, before, after []metav1.Condition) {
	was, is := meta.FindStatusCondition(before, status.Ready), meta.FindStatusCondition(after, status.Ready)
	stalled := meta.FindStatusCondition(after, status.Stalled)
	switch {
	case was == nil || was.Reason != is.Reason:
		kind := corev1.EventTypeNormal
		if stalled != nil || !status.Ordinary(is.Reason) {
			kind = corev1.EventTypeWarning
		}
		r.Events.Eventf(s.sp, nil, kind, is.Reason, "Reconcile", "%s", note(is.Message))
	case stalled != nil && meta.FindStatusCondition(before, status.Stalled) == nil:
		r.Events.Eventf(s.sp, nil, corev1.EventTypeWarning, stalled.Reason, "Reconcile", "%s", note(stalled.Message))
	}
	reached := meta.FindStatusCondition(after, status.KafkaReachable)
	if reached != nil && reached.Status == metav1.ConditionFalse && reached.Reason != is.Reason &&
		!meta.IsStatusConditionFalse(before, status.KafkaReachable) {
		r.Events.Eventf(s.sp, nil, corev1.EventTypeWarning, reached.Reason, "Reconcile", "%s", note(reached.Message))
	}
}

// note is cut to what the API server takes.
func note(message string) string {
	const longest = 1024
	if len(message) <= longest {
		return message
	}
	return message[:longest-3] + "..."
}
