package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// How long a node may have no room for a resize before the pod takes less, since what
// it asks for keeps others from the node; how long it then goes without asking for
// more, and how long after a refusal of the API server.
const (
	deferredFor   = 5 * time.Minute
	deferredPause = 30 * time.Minute
	refusedPause  = 10 * time.Minute
)

// ceiling is the most CPU that a pod can be given, in thousandths, and why.
type ceiling struct {
	milli           int64
	until           time.Time // zero for as long as the pod is there
	reason, message string
}

// keepCeilings forgets those of pods that are gone, and those that are over.
func (m *memory) keepCeilings(pods []*corev1.Pod, now time.Time) {
	kept := map[types.UID]ceiling{}
	for _, pod := range pods {
		if c, ok := m.ceilings[pod.UID]; ok && (c.until.IsZero() || c.until.After(now)) {
			kept[pod.UID] = c
		}
	}
	m.ceilings = kept
}

// noteCeiling remembers what a node says to a pod's resize.
func (s *scope) noteCeiling(pod *corev1.Pod, now time.Time) {
	pending := podCondition(pod, corev1.PodResizePending)
	if pending == nil {
		return
	}
	asked, has := resources.PodCPU(pod)
	c := ceiling{reason: pending.Reason, message: pending.Message}
	switch {
	case asked <= has:
		return
	case pending.Reason == corev1.PodReasonInfeasible:
		c.milli = s.less(asked, has)
	case pending.Reason == corev1.PodReasonDeferred && now.Sub(pending.LastTransitionTime.Time) >= deferredFor:
		c.milli, c.until = has, now.Add(deferredPause)
	default:
		return
	}
	s.memory.ceilings[pod.UID] = c
}

// less is the next amount to try where a node can't give what was asked for.
func (s *scope) less(asked, has int64) int64 {
	step := s.observed.CPU.Base
	if a := s.sp.Spec.Autoscaling; a != nil && a.Vertical != nil && a.Vertical.Step != nil {
		step = a.Vertical.Step.MilliValue()
	}
	return max(has, asked-max(step, 1))
}

// refuseResize remembers a refusal, which is looked at again soon.
func (s *scope) refuseResize(pod *corev1.Pod, c ceiling) {
	s.memory.ceilings[pod.UID] = c
	for i := range s.observed.CPU.Pods {
		if p := &s.observed.CPU.Pods[i]; p.Name == pod.Name {
			p.Ceiling, p.Reason, p.Message = c.milli, c.reason, c.message
		}
	}
	s.waitFor(time.Second)
}
