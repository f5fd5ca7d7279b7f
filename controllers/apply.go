package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// applier carries plans out.
type applier struct {
	client client.Client
	reader client.Reader
	clock  clock.PassiveClock

	kept kept[applied]
}

// applied is the history of what the operator has applied for one StreamProcessor, by
// kind and name of the object.
type applied struct {
	// answers are the API server's last ones.
	answers map[string]answer
	// refusals are those that still hold.
	refusals refusals
}

func (a *applier) forget(key types.NamespacedName) { a.kept.forget(key) }

// apply applies each object that differs and deletes those that are not part of the
// plan. If one object fails, the others are applied all the same, except that no pods
// are replaced without the objects that they need.
func (a *applier) apply(ctx context.Context, s *scope) error {
	if s.plan.Stop != nil {
		return a.scaleOnly(ctx, s, s.plan.Stop)
	}
	var errs []error
	for _, act := range s.plan.Apply {
		err := a.applyOne(ctx, s, act)
		if err == nil {
			continue
		}
		if act.Needed {
			s.plan.Missing(plan.Describe(act.Object), s.observed.Held())
		}
		if message, ok := refused(err); ok {
			s.noteRefused(act.Object, err, message)
			errs = append(errs, a.scaleRefused(ctx, s, act.Object))
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, a.removeUnwanted(ctx, s), a.pruneConfigMaps(ctx, s))...)
}

func (a *applier) applyOne(ctx context.Context, s *scope, act plan.Act) error {
	if d, ok := act.Object.(*appsv1.Deployment); ok && s.plan.Rollout.Hold != "" {
		return a.scaleOnly(ctx, s, d)
	}
	name, history := plan.Describe(act.Object), a.kept.get(s.key)
	if act.WithTemplate && s.plan.Rollout.Hold != "" && !s.lacks(act.Object) {
		return nil
	}
	wanted, err := configuration(act.Object)
	if err != nil {
		return err
	}
	if live := s.live[name]; live != nil {
		if same, err := upToDate(wanted, live, history.answers[name]); err != nil || same {
			return errors.Join(err, a.takeBackCPU(ctx, s, act.Object))
		}
	}
	hash := hashOf(wanted)
	if left, err := history.refusals.lasting(name, hash, a.clock.Now()); err != nil {
		s.waitFor(left)
		return err
	}
	err = a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted),
		client.FieldOwner(resources.Manager), client.ForceOwnership)
	if pause := history.refusals.note(name, hash, err, a.clock.Now()); pause > 0 {
		s.waitFor(pause)
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	ctrl.LoggerFrom(ctx).Info("applied", "object", name, "why", act.Why)
	if generation := wanted.GetGeneration(); generation > 0 {
		if history.answers == nil {
			history.answers = map[string]answer{}
		}
		history.answers[name] = answer{hash, generation}
	}
	return s.takeAnswer(wanted)
}

// lacks reports whether an object is missing that pods of the Deployment's present template
// need to start.
func (s *scope) lacks(object resources.Object) bool {
	d := s.observed.Deployment
	return s.live[plan.Describe(object)] == nil && d != nil &&
		d.Spec.Template.Labels[resources.ConfigLabel] == object.GetLabels()[resources.ConfigLabel]
}

// scaleOnly sets the Deployment's number of pods and leaves its template as it is. It
// does nothing if there is no Deployment, or if the plan forbids to add pods.
func (a *applier) scaleOnly(ctx context.Context, s *scope, wanted *appsv1.Deployment) error {
	live := s.observed.Deployment
	if live == nil || s.plan.Rollout.Closed && *wanted.Spec.Replicas > s.observed.Held() {
		return nil
	}
	patch, err := json.Marshal(resources.Scale(wanted))
	if err != nil {
		return fmt.Errorf("write the scale of %s: %w", plan.Describe(wanted), err)
	}
	var part map[string]any
	if err := utiljson.Unmarshal(patch, &part); err != nil {
		return fmt.Errorf("read the scale of %s: %w", plan.Describe(wanted), err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return fmt.Errorf("convert %T: %w", live, err)
	}
	if contains(fields, part) {
		return nil
	}
	return a.patchScale(ctx, s, wanted, resources.Scale(wanted), s.plan.Rollout.Hold)
}

func (a *applier) patchScale(ctx context.Context, s *scope, wanted *appsv1.Deployment, part map[string]any, why string) error {
	patch, err := json.Marshal(part)
	if err != nil {
		return fmt.Errorf("write the scale of %s: %w", plan.Describe(wanted), err)
	}
	scale := &unstructured.Unstructured{}
	scale.SetGroupVersionKind(wanted.GroupVersionKind())
	scale.SetName(wanted.Name)
	scale.SetNamespace(wanted.Namespace)
	if err := a.client.Patch(ctx, scale, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(resources.Manager)); err != nil {
		return fmt.Errorf("scale %s: %w", plan.Describe(wanted), err)
	}
	ctrl.LoggerFrom(ctx).Info("scaled, with its present pod template", "object", plan.Describe(wanted), "why", why)
	return s.takeAnswer(scale)
}

// takeBackCPU removes the Deployment's note of the pods' CPU when the plan has none.
// While the template was held, a patch wrote the note, so applying the Deployment
// without the note does not remove it.
func (a *applier) takeBackCPU(ctx context.Context, s *scope, object resources.Object) error {
	wanted, ok := object.(*appsv1.Deployment)
	if !ok || resources.KeptCPU(s.observed.Deployment) == 0 || resources.KeptCPU(wanted) > 0 {
		return nil
	}
	return a.patchScale(ctx, s, wanted, resources.ScaleWithoutCPU(), "the pods get the template's CPU back")
}

// scaleRefused sets the number of pods when the API server refuses the Deployment's
// new template: a StreamProcessor that a user suspends stops all the same.
func (a *applier) scaleRefused(ctx context.Context, s *scope, object resources.Object) error {
	d, ok := object.(*appsv1.Deployment)
	if !ok {
		return nil
	}
	s.plan.Missing("a template that the API server takes", s.observed.Held())
	err := a.scaleOnly(ctx, s, d)
	if _, ok := refused(err); ok {
		return nil // the conditions have the refusal already
	}
	return err
}

// removeUnwanted deletes the objects of ours that the operator's flags have switched
// off.
func (a *applier) removeUnwanted(ctx context.Context, s *scope) error {
	if len(s.plan.Apply) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	for _, act := range s.plan.Apply {
		wanted[plan.Describe(act.Object)] = true
	}
	for name, live := range s.live {
		if wanted[name] {
			continue
		}
		err := a.client.Delete(ctx, live, client.Preconditions{UID: new(live.GetUID())})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete %s: %w", name, err)
		}
		ctrl.LoggerFrom(ctx).Info("deleted", "object", name, "why", "the plan has no such object")
	}
	return nil
}

// takeAnswer replaces the observed Deployment by the API server's answer, which the
// conditions are made from.
func (s *scope) takeAnswer(answer *unstructured.Unstructured) error {
	if answer.GetKind() != "Deployment" {
		return nil
	}
	before := s.observed.Held()
	d := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, d); err != nil {
		return fmt.Errorf("read the applied Deployment: %w", err)
	}
	s.observed.TemplateChanged = s.observed.Deployment == nil || !equality.Semantic.DeepEqual(s.observed.Deployment.Spec.Template, d.Spec.Template)
	s.observed.Deployment = d
	if after := s.plan.Replicas; after.Count != before {
		s.news.scaled = fmt.Sprintf("from %d to %d pods: %s", before, after.Count, after.Why)
	}
	return nil
}

// noteRefused records the API server's reason for refusing an object. The API server
// judges all of the pod's spec, so an invalid Deployment means a mistake in the
// template, which waiting does not remove.
func (s *scope) noteRefused(object resources.Object, err error, message string) {
	message = plan.Describe(object) + ": " + message
	if object.GetObjectKind().GroupVersionKind().Kind == "Deployment" && (apierrors.IsInvalid(err) || untyped(err)) {
		s.plan.Invalid = errors.Join(s.plan.Invalid, errors.New(message))
		return
	}
	s.observed.NotPermitted = message
}
