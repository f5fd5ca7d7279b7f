package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// apply carries the plan out: what differs is applied, what is no longer wanted
// is deleted. One object that fails does not keep the others, except that pods are
// not replaced without what they need.
func (r *Reconciler) apply(ctx context.Context, s *scope) error {
	if s.plan.Stop != nil {
		return r.scaleOnly(ctx, s, s.plan.Stop)
	}
	var errs []error
	for _, act := range s.plan.Apply {
		err := r.applyOne(ctx, s, act)
		if err == nil {
			continue
		}
		if act.Needed {
			s.plan.Missing(describe(act.Object), s.observed.Held())
		}
		if refusal, ok := refused(err); ok {
			s.refusal(act.Object, err, refusal)
			errs = append(errs, r.scaleRefused(ctx, s, act.Object))
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, r.removeUnwanted(ctx, s), r.pruneConfigMaps(ctx, s))...)
}

func (r *Reconciler) applyOne(ctx context.Context, s *scope, act plan.Act) error {
	if d, ok := act.Object.(*appsv1.Deployment); ok && s.plan.Rollout.Hold != "" {
		return r.scaleOnly(ctx, s, d)
	}
	wanted, err := configuration(act.Object)
	if err != nil {
		return err
	}
	name := describe(act.Object)
	if live := s.live[name]; live != nil {
		if same, err := upToDate(wanted, live, s.memory.answers[name]); err != nil || same {
			return errors.Join(err, r.takeBackCPU(ctx, s, act.Object))
		}
	}
	hash := hashOf(wanted)
	if err := r.stillRefused(s, act.Object, hash); err != nil {
		return err
	}
	err = r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted),
		client.FieldOwner(resources.Manager), client.ForceOwnership)
	r.noteRefusal(s, act.Object, hash, err)
	if err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	ctrl.LoggerFrom(ctx).Info("applied", "object", name, "why", act.Why)
	if generation := wanted.GetGeneration(); generation > 0 {
		s.memory.answers[name] = answer{hash, generation}
	}
	return s.applied(wanted)
}

// scaleOnly gives the Deployment its number of pods, and leaves its template as it
// is. Without a Deployment, or if it may not add pods, it does nothing.
func (r *Reconciler) scaleOnly(ctx context.Context, s *scope, wanted *appsv1.Deployment) error {
	live := s.observed.Deployment
	if live == nil || s.plan.Rollout.Closed && *wanted.Spec.Replicas > s.observed.Held() {
		return nil
	}
	patch, err := json.Marshal(resources.Scale(wanted))
	if err != nil {
		return fmt.Errorf("write the scale of %s: %w", describe(wanted), err)
	}
	var part map[string]any
	if err := utiljson.Unmarshal(patch, &part); err != nil {
		return fmt.Errorf("read the scale of %s: %w", describe(wanted), err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return fmt.Errorf("convert %T: %w", live, err)
	}
	if contains(fields, part) {
		return nil
	}
	return r.patchScale(ctx, s, wanted, resources.Scale(wanted), s.plan.Rollout.Hold)
}

func (r *Reconciler) patchScale(ctx context.Context, s *scope, wanted *appsv1.Deployment, part map[string]any, why string) error {
	patch, err := json.Marshal(part)
	if err != nil {
		return fmt.Errorf("write the scale of %s: %w", describe(wanted), err)
	}
	scale := &unstructured.Unstructured{}
	scale.SetGroupVersionKind(wanted.GroupVersionKind())
	scale.SetName(wanted.Name)
	scale.SetNamespace(wanted.Namespace)
	if err := r.Client.Patch(ctx, scale, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(resources.Manager)); err != nil {
		return fmt.Errorf("scale %s: %w", describe(wanted), err)
	}
	ctrl.LoggerFrom(ctx).Info("scaled, with its present pod template", "object", describe(wanted), "why", why)
	return s.applied(scale)
}

// takeBackCPU removes the note of the pods' CPU that is no longer wanted. While the
// template was held it was patched, and applying without it does not take it away then.
func (r *Reconciler) takeBackCPU(ctx context.Context, s *scope, object resources.Object) error {
	wanted, ok := object.(*appsv1.Deployment)
	if !ok || resources.KeptCPU(s.observed.Deployment) == 0 || resources.KeptCPU(wanted) > 0 {
		return nil
	}
	return r.patchScale(ctx, s, wanted, resources.ScaleWithoutCPU(), "the CPU that it notes is not wanted any more")
}

// scaleRefused has the number of pods follow the plan even where the API server takes
// no other template: one that is suspended stops all the same.
func (r *Reconciler) scaleRefused(ctx context.Context, s *scope, object resources.Object) error {
	d, ok := object.(*appsv1.Deployment)
	if !ok {
		return nil
	}
	s.plan.Missing(describe(d), s.observed.Held())
	err := r.scaleOnly(ctx, s, d)
	if _, ok := refused(err); ok {
		return nil // that is told already
	}
	return err
}

// applied keeps what the API server has answered: the conditions are made of it.
func (s *scope) applied(answer *unstructured.Unstructured) error {
	if answer.GetKind() != "Deployment" {
		return nil
	}
	before := int32(0)
	if d := s.observed.Deployment; d != nil && d.Spec.Replicas != nil {
		before = *d.Spec.Replicas
	}
	d := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, d); err != nil {
		return fmt.Errorf("read the applied Deployment: %w", err)
	}
	s.observed.TemplateChanged = s.observed.Deployment == nil || !equality.Semantic.DeepEqual(s.observed.Deployment.Spec.Template, d.Spec.Template)
	s.observed.Deployment = d
	if after := s.plan.Replicas; after.Count != before {
		s.memory.undelivered.scaled = fmt.Sprintf("from %d to %d pods: %s", before, after.Count, after.Why)
	}
	return nil
}

// refusal notes what the API server has against an object. It judges all of the
// pod's spec, so what it finds wrong with the Deployment is wrong with the
// template, and no waiting makes it right.
func (s *scope) refusal(object resources.Object, err error, why string) {
	why = describe(object) + ": " + why
	if object.GetObjectKind().GroupVersionKind().Kind == "Deployment" && (apierrors.IsInvalid(err) || untyped(err)) {
		s.plan.Invalid = errors.Join(s.plan.Invalid, errors.New(why))
		return
	}
	s.observed.NotPermitted = why
}

// refused tells what the API server has against an object's content.
func refused(err error) (why string, ok bool) {
	if !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) && !apierrors.IsBadRequest(err) && !untyped(err) && !unadmitted(err) {
		return "", false
	}
	if s := apierrors.APIStatus(nil); errors.As(err, &s) {
		return s.Status().Message, true
	}
	return err.Error(), true
}

// untyped reports whether the API server could not make an object of what was
// applied, such as of a list with one key twice. It calls that its own error.
func untyped(err error) bool {
	return apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed to create typed patch object")
}

// unadmitted reports whether an admission webhook did not answer. The API server calls
// that its own error too.
func unadmitted(err error) bool {
	return apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook")
}

// removeUnwanted deletes what is ours and no longer part of the plan, because
// the operator was told so.
func (r *Reconciler) removeUnwanted(ctx context.Context, s *scope) error {
	if len(s.plan.Apply) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	for _, act := range s.plan.Apply {
		wanted[describe(act.Object)] = true
	}
	for name, live := range s.live {
		if wanted[name] {
			continue
		}
		err := r.Client.Delete(ctx, live, client.Preconditions{UID: new(live.GetUID())})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete %s: %w", name, err)
		}
		ctrl.LoggerFrom(ctx).Info("deleted", "object", name, "why", "it is no longer wanted")
	}
	return nil
}

// isOurs reports whether an object is controlled by the scope's StreamProcessor.
func (s *scope) isOurs(object client.Object) bool {
	return metav1.IsControlledBy(object, s.sp)
}
