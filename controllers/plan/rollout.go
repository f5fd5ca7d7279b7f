package plan

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Rollout is what becomes of the pod template. The number of pods follows the plan
// all the same: what holds a template must not hold autoscaling, or keep a suspended
// StreamProcessor running.
type Rollout struct {
	// Pending: the Deployment has another template than the wanted one.
	Pending bool
	// ByOperator: the difference comes from the operator itself.
	ByOperator bool
	// Hold is why the Deployment keeps the template that it has, or is not made if
	// there is none yet; "" if it gets the wanted one.
	Hold string
	// Closed: no pod is added while the template is held. It would start with what is
	// somebody else's, or with a configuration that nobody asks for any more.
	Closed bool
	// Turn: the rollout has to wait for its turn among all that the operator causes.
	Turn bool
	// Waiting is set by the reconciler while the turn has not come, and Hold with it.
	Waiting bool
}

// rollout compares the Deployment that is there with the wanted one.
func (o *Observed) rollout(wanted *appsv1.Deployment) Rollout {
	var r Rollout
	if o.Deployment != nil {
		is, next := resources.RevisionOf(o.Deployment), resources.RevisionOf(wanted)
		r.Pending = is.Template != next.Template
		r.ByOperator = r.Pending && is.ByOperator(next)
	}
	switch {
	case len(o.Foreign) > 0:
		r.Hold, r.Closed = "not made by this StreamProcessor: "+strings.Join(o.Foreign, ", "), true
	case len(o.Leaving) > 0:
		r.Hold, r.Closed = "of an earlier StreamProcessor of this name, and about to be gone: "+strings.Join(o.Leaving, ", "), true
	case r.Pending && o.paused():
		r.Hold = "the annotation " + v1alpha1.PausedAnnotation + " is set"
	default:
		r.Turn = r.ByOperator && o.Held() > 0 && *wanted.Spec.Replicas > 0
	}
	return r
}

// Missing holds the template because of something that pods need and that can't be
// made. Those that run go on with the former one, and more of them may help; from none
// on, nobody has asked for those.
func (p *Plan) Missing(what string, held int32) {
	p.Rollout.Hold = "not there yet: " + what
	p.Rollout.Closed = p.Rollout.Closed || held == 0
}

// paused reports whether the user holds rollouts. Where everything is stopped by
// the user, there are no pods to be kept as they are.
func (o *Observed) paused() bool {
	return o.Processor.Annotations[v1alpha1.PausedAnnotation] == "true" && !o.Processor.Spec.Suspend
}

// Await has the rollout wait for its turn.
func (p *Plan) Await() {
	p.Rollout.Waiting = true
	p.Rollout.Hold = "it waits for its turn"
}

// rolloutHeld also says that what a user asked for is not reached yet, though the
// pods are Ready: tools that wait for a change should not take it for done.
func (p *Plan) rolloutHeld(o *Observed) []status.Condition {
	const resume = "; remove the annotation to let them"
	switch r := p.Rollout; {
	case r.Waiting:
		return []status.Condition{status.True(status.RolloutHeld, status.WaitingForTurn,
			"the operator has a new pod template, and as many StreamProcessors as it may roll at the same time are rolling; a change of the spec would not wait")}
	case !o.paused():
		return []status.Condition{status.False(status.RolloutHeld, status.Paused, "")}
	case !r.Pending:
		return []status.Condition{status.True(status.RolloutHeld, status.Paused,
			"the annotation "+v1alpha1.PausedAnnotation+" is set: changes would not reach the pods; there are none at the moment")}
	case r.ByOperator:
		return []status.Condition{status.True(status.RolloutHeld, status.Paused,
			"the annotation "+v1alpha1.PausedAnnotation+" is set: the pods don't get the operator's new template"+resume)}
	}
	message := "the annotation " + v1alpha1.PausedAnnotation + " is set: the pods don't get the changes of the spec" + resume
	return []status.Condition{
		status.True(status.RolloutHeld, status.Paused, message),
		status.True(status.Reconciling, status.Paused, message),
	}
}

// withHeld adds what is said of the rollout, where the state does not say more: a
// StreamProcessor that is Reconciling or Stalled for another reason shows that one.
func withHeld(state, held []status.Condition) []status.Condition {
	for _, c := range held {
		more := slices.ContainsFunc(state, func(s status.Condition) bool {
			return s.Type == status.Reconciling || s.Type == status.Stalled
		})
		if c.Type != status.Reconciling || !more {
			state = append(state, c)
		}
	}
	return state
}
