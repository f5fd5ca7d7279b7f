package plan

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Expressions describes those of the built-in processor, which reach running pods without
// a rollout.
type Expressions struct {
	// Wanted is the version of those in the spec, which depends on Live too; "" for another
	// processor.
	Wanted string
	// Live is the ConfigMap of the wanted configuration's pods; nil if there is none.
	Live *corev1.ConfigMap
	// Pods are the last reports of those pods that have answered, by name.
	Pods []PodExpressions
	// Unheard is the number of those pods that an operator that has just started has not
	// heard from. Later it is 0: a pod that never answers must not hold up the conditions.
	Unheard int
}

// PodExpressions is the report of one pod.
type PodExpressions struct {
	Name string
	// Version is the version that its worker evaluates.
	Version string
	// Refused is a newer version that the worker can't use, and Error says why; "" for
	// none.
	Refused, Error string
}

// pending reports whether the spec has other expressions than the operator last wrote. What
// somebody else has written into the ConfigMap is not a change of the spec: a pause does not
// keep it, and no pod is replaced for it.
func (e *Expressions) pending() bool {
	return e.Live != nil && resources.VersionIn(e.Live) != e.Wanted
}

// Outdated returns the pods that run another version than the wanted one and have not
// refused it.
func (e *Expressions) Outdated() []PodExpressions {
	return slices.DeleteFunc(slices.Clone(e.Pods), func(p PodExpressions) bool {
		return p.Version == e.Wanted || p.Refused == e.Wanted
	})
}

func (e *Expressions) refusing() []PodExpressions {
	return slices.DeleteFunc(slices.Clone(e.Pods), func(p PodExpressions) bool { return p.Refused != e.Wanted })
}

// updated returns the number of pods that run the wanted version.
func (e *Expressions) updated() int32 {
	n := int32(0)
	for _, p := range e.Pods {
		if p.Version == e.Wanted {
			n++
		}
	}
	return n
}

// Status returns the status' part about the expressions; nil for another processor. last is
// the part that the status has. Pods that an operator has yet to hear from count as pods
// with another version: otherwise this status would say that a change is over, and the next
// reconciliation would believe it.
func (e *Expressions) Status(last *v1alpha1.ExpressionsStatus) *v1alpha1.ExpressionsStatus {
	switch {
	case e.Wanted == "":
		return nil
	case e.Unheard > 0 && last != nil && last.Version == e.Wanted:
		return last
	}
	return &v1alpha1.ExpressionsStatus{Version: e.Wanted, Pods: int32(len(e.Pods) + e.Unheard), UpdatedPods: e.updated()}
}

// replacedFor returns the version of the expressions for which failing pods are replaced, as
// by any other change of the spec: a pod that waits for its next restart, perhaps because of
// the former expressions, would take new ones over late. It was decided with the last change
// of the ConfigMap, or is decided with the one to come.
func (o *Observed) replacedFor() string {
	e := &o.Expressions
	if e.Wanted == "" {
		return ""
	}
	if e.pending() && o.Deployment != nil {
		if reason, _ := failing(o.podsOfTemplate(), o.Now); reason == status.PodsFailing {
			return e.Wanted
		}
	}
	return resources.ReplacedFor(e.Live, o.Deployment)
}

// reloadGrace is the time that pods may take to run changed expressions. A kubelet takes two
// minutes at most to bring a ConfigMap to a pod if nobody asks it to hurry.
const reloadGrace = 5 * time.Minute

// reloading returns the state while not all pods run the wanted expressions. stillRuns is
// the message of Ready, since the pods go on with the former ones.
func (j judge) reloading(stillRuns string) (s standing, isReloading bool) {
	e := &j.o.Expressions
	outdated, refusing := e.Outdated(), e.refusing()
	switch {
	case e.Wanted == "", j.p.Rollout.Hold != "": // RolloutHeld says that changes don't reach the pods
		return standing{}, false
	case len(refusing) > 0:
		return stalled(status.ExpressionsRefused, fmt.Sprintf("%s can't use the expressions and goes on with the former ones: %s", others("pod "+refusing[0].Name, len(refusing)), refusing[0].Error)), true
	case len(outdated) > 0:
		return standing{
			reason: status.ReloadInProgress, stillRuns: stillRuns, grace: reloadGrace,
			message: fmt.Sprintf("%d of %s run the expressions of the spec, version %s; %s runs version %s%s",
				e.updated(), count(len(e.Pods), "pod"), e.Wanted, others("pod "+outdated[0].Name, len(outdated)), outdated[0].Version, because(outdated[0].Error)),
		}, true
	case e.Unheard > 0 && !e.settledBefore(j.o.Processor.Status.Expressions):
		return standing{
			reason: status.ReloadInProgress, stillRuns: stillRuns,
			message: fmt.Sprintf("the operator has yet to hear from %s whether the expressions of the spec run, version %s", count(e.Unheard, "pod"), e.Wanted),
		}, true
	}
	return standing{}, false
}

// ReloadStalled reports whether the status says that pods take too long to run the wanted
// expressions. Their kubelets have been asked several times by then.
func (o *Observed) ReloadStalled() bool {
	last := o.last(status.Stalled)
	return last != nil && last.Reason == status.ReloadInProgress
}

// because extends a message with an error, if there is one.
func because(failure string) string {
	if failure == "" {
		return ""
	}
	return ": " + failure
}

// settledBefore reports whether the pods ran the wanted version when the status was
// written.
func (e *Expressions) settledBefore(last *v1alpha1.ExpressionsStatus) bool {
	return last != nil && last.Version == e.Wanted && last.UpdatedPods == last.Pods
}

// others extends the name of the first of n pods.
func others(first string, n int) string {
	if n == 1 {
		return first
	}
	return fmt.Sprintf("%s, the first of %d,", first, n)
}
