package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// A node may have no room for a resize for deferredFor before the pod takes less, since
// its request keeps other pods from the node. The pod then asks for no more for
// deferredPause, and after a refusal of the API server for refusedPause.
const (
	deferredFor   = 5 * time.Minute
	deferredPause = 30 * time.Minute
	refusedPause  = 10 * time.Minute
)

// ceiling is the most CPU that a pod can get, in thousandths of a CPU, and the reason.
type ceiling struct {
	milli           int64
	until           time.Time // zero for the life of the pod
	reason, message string
}

// ceilings are the bounds of a StreamProcessor's pods, by the pods' UID.
type ceilings map[types.UID]ceiling

// keep drops the ceilings of pods that are gone, and those that are over.
func (c *ceilings) keep(pods []*corev1.Pod, now time.Time) {
	left := ceilings{}
	for _, pod := range pods {
		if known, ok := (*c)[pod.UID]; ok && (known.until.IsZero() || known.until.After(now)) {
			left[pod.UID] = known
		}
	}
	*c = left
}

// note remembers the node's answer to a pod's resize. step is the amount by which the
// next try asks for less.
func (c ceilings) note(pod *corev1.Pod, step int64, now time.Time) {
	pending := podCondition(pod, corev1.PodResizePending)
	if pending == nil {
		return
	}
	asked, has := resources.PodCPU(pod)
	bound := ceiling{reason: pending.Reason, message: pending.Message}
	switch {
	case asked <= has:
		return
	case pending.Reason == corev1.PodReasonInfeasible:
		bound.milli = oneStepLess(asked, has, step)
	case pending.Reason == corev1.PodReasonDeferred && now.Sub(pending.LastTransitionTime.Time) >= deferredFor:
		bound.milli, bound.until = has, now.Add(deferredPause)
	default:
		return
	}
	c[pod.UID] = bound
}

// oneStepLess returns the next amount to try after a node could not give asked.
func oneStepLess(asked, has, step int64) int64 {
	return max(has, asked-max(step, 1))
}
