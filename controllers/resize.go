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
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// resizer changes the CPU of pods in place.
type resizer struct {
	client client.Client
	clock  clock.PassiveClock

	kept kept[ceilings]
}

func (r *resizer) forget(key types.NamespacedName) { r.kept.forget(key) }

// observe finds the CPU that the pods have, and the obstacles to more.
func (r *resizer) observe(s *scope) {
	c, bounds := &s.observed.CPU, r.kept.get(s.key)
	c.Base, c.Held = resources.TemplateCPU(s.observed.Deployment), resources.KeptCPU(s.observed.Deployment)
	pods := resizable(&s.observed)
	bounds.keep(pods, r.clock.Now())
	for _, pod := range pods {
		if c.Held > 0 {
			bounds.note(pod, resizeStep(s), r.clock.Now())
		}
		asked, has := resources.PodCPU(pod)
		p := plan.PodCPU{Name: pod.Name, Asked: asked, Has: has}
		p.Reason, p.Message = resizeTrouble(pod)
		if known, ok := (*bounds)[pod.UID]; ok {
			p.Ceiling, p.Reason, p.Message = known.milli, known.reason, known.message
		}
		c.Pods = append(c.Pods, p)
	}
}

// resizeStep returns the amount by which a try asks for less after a node had no room.
func resizeStep(s *scope) int64 {
	if a := s.sp.Spec.Autoscaling; a != nil && a.Vertical != nil && a.Vertical.Step != nil {
		return a.Vertical.Step.MilliValue()
	}
	return s.observed.CPU.Base
}

// resizable returns the pods of the Deployment that are on a node and not terminating,
// by name.
func resizable(o *plan.Observed) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := range o.Pods {
		if p := &o.Pods[i]; p.DeletionTimestamp == nil && p.Spec.NodeName != "" && o.Owns(p) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

// resizeTrouble returns the reason why a pod does not have the CPU that it asks for.
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

// resize gives the pods the CPU of the plan, in place. A pod that can't get it does not
// stop the others.
func (r *resizer) resize(ctx context.Context, s *scope) error {
	if s.plan.CPU == 0 || s.observed.Deployment == nil {
		return nil
	}
	var errs []error
	goals := map[string]int64{}
	for i := range s.observed.CPU.Pods {
		p := &s.observed.CPU.Pods[i]
		goals[p.Name] = p.Goal(s.plan.CPU)
	}
	for _, pod := range resizable(&s.observed) {
		errs = append(errs, r.resizeOne(ctx, s, pod, goals[pod.Name]))
	}
	return errors.Join(errs...)
}

func (r *resizer) resizeOne(ctx context.Context, s *scope, pod *corev1.Pod, milli int64) error {
	wanted := resources.ResizedCPU(s.observed.Deployment, milli)
	asked, has := resources.PodCPU(pod)
	if asked == 0 || milli == 0 || sameCPU(pod, wanted) {
		return nil
	}
	if resources.RestartsForCPU(pod) {
		(*r.kept.get(s.key))[pod.UID] = ceiling{milli: has, reason: status.ResizeRefused, message: "its resizePolicy restarts the container when its CPU changes: remove the resizePolicy from spec.template"}
		return nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"containers": []any{
		map[string]any{"name": v1alpha1.WorkerContainer, "resources": wanted},
	}}})
	if err != nil {
		return fmt.Errorf("write the resize of pod %s: %w", pod.Name, err)
	}
	err = r.client.SubResource("resize").Patch(ctx, pod.DeepCopy(), client.RawPatch(types.StrategicMergePatchType, patch), client.FieldOwner(resources.Manager))
	refusal, isRefused := refused(err)
	refusedCeiling := ceiling{milli: has, until: r.clock.Now().Add(refusedPause), reason: status.ResizeRefused, message: refusal}
	switch {
	case err == nil:
		ctrl.LoggerFrom(ctx).Info("resized", "pod", pod.Name, "milliCPU", milli, "before", asked)
		return nil
	case apierrors.IsNotFound(err) && strings.Contains(err.Error(), strconv.Quote(pod.Name)):
		return nil // the pod is gone
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		refusedCeiling.message = "the cluster can't resize pods in place, which needs Kubernetes 1.35: " + err.Error()
	case isRefused && milli > asked && strings.Contains(refusal, "allocatable"):
		// From Kubernetes 1.37 on the API server knows the node's size.
		refusedCeiling = ceiling{milli: oneStepLess(milli, has, resizeStep(s)), reason: status.ResizeInfeasible, message: refusal}
	case !isRefused:
		return fmt.Errorf("resize pod %s to %dm of CPU: %w", pod.Name, milli, err)
	}
	r.refuse(s, pod, refusedCeiling)
	return nil
}

// refuse remembers a refusal, and has it reported soon.
func (r *resizer) refuse(s *scope, pod *corev1.Pod, c ceiling) {
	(*r.kept.get(s.key))[pod.UID] = c
	for i := range s.observed.CPU.Pods {
		if p := &s.observed.CPU.Pods[i]; p.Name == pod.Name {
			p.Ceiling, p.Reason, p.Message = c.milli, c.reason, c.message
		}
	}
	s.waitFor(time.Second)
}

// sameCPU reports whether a pod's spec asks for the wanted CPU.
func sameCPU(pod *corev1.Pod, wanted corev1.ResourceRequirements) bool {
	for _, c := range pod.Spec.Containers {
		if c.Name == v1alpha1.WorkerContainer {
			return equality.Semantic.DeepEqual(c.Resources.Limits.Cpu(), wanted.Limits.Cpu()) &&
				equality.Semantic.DeepEqual(c.Resources.Requests.Cpu(), wanted.Requests.Cpu())
		}
	}
	return true
}
