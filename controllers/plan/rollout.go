package plan

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Rollout decides about the pod template. The number of pods follows the plan in any
// case: a held template must not stop autoscaling, or keep a suspended StreamProcessor
// running.
type Rollout struct {
	// Pending: the Deployment's template differs from the wanted one, or the expressions
	// of its pods do.
	Pending bool
	// ByOperator: the operator itself has brought the difference of the templates.
	ByOperator bool
	// Hold is the reason why the Deployment keeps its template and its pods their
	// expressions, or why it is not created; "" if it gets the wanted template.
	Hold string
	// Closed: the operator adds no pod while the template is held. The pod would start
	// with somebody else's objects, or with a configuration that nobody asks for.
	Closed bool
	// Turn: the rollout has to wait for its turn among all that the operator causes.
	Turn bool
	// Waiting: the turn has not come. The reconciler sets it, and Hold with it.
	Waiting bool
}

// rollout compares the existing Deployment with the wanted one.
func (o *Observed) rollout(wanted *appsv1.Deployment) Rollout {
	var r Rollout
	if o.Deployment != nil {
		present, next := resources.RevisionOf(o.Deployment), resources.RevisionOf(wanted)
		template := present.Template != next.Template
		r.Pending = template || o.Expressions.pending()
		r.ByOperator = template && present.ByOperator(next)
	}
	switch {
	case len(o.Foreign) > 0:
		r.Hold, r.Closed = "something else owns "+strings.Join(o.Foreign, ", "), true
	case len(o.Leaving) > 0:
		r.Hold, r.Closed = "objects of an earlier StreamProcessor with this name are being deleted: "+strings.Join(o.Leaving, ", "), true
	case r.Pending && o.paused():
		r.Hold = "the annotation " + v1alpha1.PausedAnnotation + " is set"
	default:
		r.Turn = r.ByOperator && o.Held() > 0 && *wanted.Spec.Replicas > 0
	}
	return r
}

// Missing holds the template because the API server refuses an object that the pods
// need. Running pods go on with the former template, and more of them may help; if none
// runs, nobody has asked for pods with the former template.
func (p *Plan) Missing(object string, held int32) {
	p.Rollout.Hold = "its pods need " + object
	p.Rollout.Closed = p.Rollout.Closed || held == 0
}

// paused reports whether the user holds rollouts. A suspended StreamProcessor has no
// pods to protect.
func (o *Observed) paused() bool {
	return o.Processor.Annotations[v1alpha1.PausedAnnotation] == "true" && !o.Processor.Spec.Suspend
}

// Await has the rollout wait for its turn.
func (p *Plan) Await() {
	p.Rollout.Waiting = true
	p.Rollout.Hold = "it waits for its turn"
}

// rolloutHeld returns RolloutHeld, and Reconciling if a change of the user does not
// reach the pods: tools that wait for the change must not take it for done, although
// the pods are Ready.
func (p *Plan) rolloutHeld(o *Observed) []status.Condition {
	const (
		paused = "the annotation " + v1alpha1.PausedAnnotation + " is set: "
		resume = "; remove the annotation to roll them out"
	)
	switch r := p.Rollout; {
	case r.Waiting:
		return []status.Condition{status.True(status.RolloutHeld, status.WaitingForTurn,
			"the operator has a new pod template, and waits because it is replacing the pods of as many other StreamProcessors as it may at the same time; a change of the spec does not wait")}
	case !o.paused():
		return []status.Condition{status.False(status.RolloutHeld, status.Paused, "")}
	case !r.Pending:
		return []status.Condition{status.True(status.RolloutHeld, status.Paused, paused+"changes don't reach the pods; there are none at the moment")}
	case r.ByOperator:
		return []status.Condition{status.True(status.RolloutHeld, status.Paused, paused+"the operator's new template does not reach the pods; remove the annotation to roll it out")}
	}
	message := paused + "the changes of the spec don't reach the pods" + resume
	return []status.Condition{
		status.True(status.RolloutHeld, status.Paused, message),
		status.True(status.Reconciling, status.Paused, message),
	}
}

// withHeld adds the conditions about the rollout. A StreamProcessor that is Reconciling
// or Stalled for another reason shows that reason.
func withHeld(state, held []status.Condition) []status.Condition {
	for _, c := range held {
		hasReason := slices.ContainsFunc(state, func(s status.Condition) bool {
			return s.Type == status.Reconciling || s.Type == status.Stalled
		})
		if c.Type != status.Reconciling || !hasReason {
			state = append(state, c)
		}
	}
	return state
}
