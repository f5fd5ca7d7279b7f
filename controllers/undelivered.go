package controllers

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// undelivered is what was decided and done, and what the status and the events have
// yet to tell of. A status that is refused, because somebody else has written the
// object, is written at the next reconciliation, when nothing is left to be done.
type undelivered struct {
	decision *v1alpha1.ScaleDecision // nil for none
	scaled   string                  // a changed number of pods, "" for none
}

// deliver gives the events, now that the status tells of the rest.
func (r *Reconciler) deliver(s *scope) {
	u := s.memory.undelivered
	s.memory.undelivered = undelivered{}
	if u.scaled != "" {
		r.Events.Eventf(s.sp, nil, corev1.EventTypeNormal, "Scaled", "Scale", "%s", note(u.scaled))
	}
	if d := u.decision; d != nil && d.CPU != nil && s.plan.CPU == d.CPU.To.MilliValue() {
		r.Events.Eventf(s.sp, nil, corev1.EventTypeNormal, "Resized", "Scale", "each pod gets %s of CPU instead of %s: %s",
			d.CPU.To.String(), d.CPU.From.String(), note(d.Message))
	}
}

// fillScaling puts into the status what autoscaling has decided.
func (s *scope) fillScaling() {
	st := &s.sp.Status
	if d := s.memory.undelivered.decision; d != nil {
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
