package controllers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// observeCPU finds what CPU the pods have, and what stands against more.
func (r *Reconciler) observeCPU(s *scope) {
	c := &s.observed.CPU
	c.Base, c.Held = resources.TemplateCPU(s.observed.Deployment), resources.KeptCPU(s.observed.Deployment)
	pods := s.resizable()
	s.memory.keepCeilings(pods, r.Clock.Now())
	for _, pod := range pods {
		if c.Held > 0 {
			s.noteCeiling(pod, r.Clock.Now())
		}
		asked, has := resources.PodCPU(pod)
		p := plan.PodCPU{Name: pod.Name, Asked: asked, Has: has}
		p.Reason, p.Message = resizeTrouble(pod)
		if known, ok := s.memory.ceilings[pod.UID]; ok {
			p.Ceiling, p.Reason, p.Message = known.milli, known.reason, known.message
		}
		c.Pods = append(c.Pods, p)
	}
}

// resizable are the pods of the Deployment that are on a node and stay, by name.
func (s *scope) resizable() []*corev1.Pod {
	var pods []*corev1.Pod
	for i := range s.observed.Pods {
		if p := &s.observed.Pods[i]; p.DeletionTimestamp == nil && p.Spec.NodeName != "" && s.observed.Owns(p) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

// resizeTrouble says why a pod does not have the CPU that it asks for.
func resizeTrouble(pod *corev1.Pod) (reason, message string) {
	if c := podCondition(pod, corev1.PodResizePending); c != nil {
		return cmp.Or(c.Reason, status.ResizeDeferred), c.Message
	}
	if c := podCondition(pod, corev1.PodResizeInProgress); c != nil && c.Reason == corev1.PodReasonError {
		return status.ResizeFailed, c.Message
	}
	return "", ""
}

func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == kind && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

// resize gives the pods the CPU that they are to have, in place. A pod that can't be
// given it keeps no other from getting it.
func (r *Reconciler) resize(ctx context.Context, s *scope) error {
	if s.plan.CPU == 0 || s.observed.Deployment == nil {
		return nil
	}
	var errs []error
	goals := map[string]int64{}
	for i := range s.observed.CPU.Pods {
		p := &s.observed.CPU.Pods[i]
		goals[p.Name] = p.Goal(s.plan.CPU)
	}
	for _, pod := range s.resizable() {
		errs = append(errs, r.resizeOne(ctx, s, pod, goals[pod.Name]))
	}
	return errors.Join(errs...)
}

func (r *Reconciler) resizeOne(ctx context.Context, s *scope, pod *corev1.Pod, milli int64) error {
	wanted := resources.ResizedCPU(s.observed.Deployment, milli)
	asked, has := resources.PodCPU(pod)
	if asked == 0 || milli == 0 || sameCPU(pod, wanted) {
		return nil
	}
	if resources.RestartsForCPU(pod) {
		s.memory.ceilings[pod.UID] = ceiling{milli: has, reason: status.ResizeRefused, message: "its resizePolicy restarts the container when its CPU changes: leave that away in spec.template"}
		return nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"containers": []any{
		map[string]any{"name": v1alpha1.WorkerContainer, "resources": wanted},
	}}})
	if err != nil {
		return fmt.Errorf("write the resize of pod %s: %w", pod.Name, err)
	}
	err = r.Client.SubResource("resize").Patch(ctx, pod.DeepCopy(), client.RawPatch(types.StrategicMergePatchType, patch), client.FieldOwner(resources.Manager))
	refusal, is := refused(err)
	refusedCeiling := ceiling{milli: has, until: r.Clock.Now().Add(refusedPause), reason: status.ResizeRefused, message: refusal}
	switch {
	case err == nil:
		ctrl.LoggerFrom(ctx).Info("resized", "pod", pod.Name, "milliCPU", milli, "before", asked)
		return nil
	case apierrors.IsNotFound(err) && strings.Contains(err.Error(), strconv.Quote(pod.Name)):
		return nil // the pod is gone
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		refusedCeiling.message = "the cluster can't resize pods in place, which takes Kubernetes 1.35: " + err.Error()
	case is && milli > asked && strings.Contains(refusal, "allocatable"):
		// From Kubernetes 1.37 on the API server knows the node's size.
		refusedCeiling = ceiling{milli: s.less(milli, has), reason: status.ResizeInfeasible, message: refusal}
	case !is:
		return fmt.Errorf("resize pod %s to %dm of CPU: %w", pod.Name, milli, err)
	}
	s.refuseResize(pod, refusedCeiling)
	return nil
}

// sameCPU reports whether a pod's spec asks for what is wanted.
func sameCPU(pod *corev1.Pod, wanted corev1.ResourceRequirements) bool {
	for _, c := range pod.Spec.Containers {
		if c.Name == v1alpha1.WorkerContainer {
			return equality.Semantic.DeepEqual(c.Resources.Limits.Cpu(), wanted.Limits.Cpu()) &&
				equality.Semantic.DeepEqual(c.Resources.Requests.Cpu(), wanted.Requests.Cpu())
		}
	}
	return true
}
