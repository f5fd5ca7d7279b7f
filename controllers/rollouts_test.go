package controllers

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
)

func imageOf(d *appsv1.Deployment) string { return d.Spec.Template.Spec.Containers[0].Image }

// hasImage waits for the image of a StreamProcessor's pods.
func (o *operator) hasImage(name, want string) *appsv1.Deployment {
	o.Helper()
	return o.deployment(name, func(d *appsv1.Deployment) error {
		if got := imageOf(d); got != want {
			return fmt.Errorf("its image is %s, not %s", got, want)
		}
		return nil
	})
}

// upgrade starts an operator with another worker image.
func (o *operator) upgrade(image string) { o.run(plan.Environment{WorkerImage: image}) }

// TestUpgradesTakeTurns: a new operator replaces the pods of one StreamProcessor after
// the other, after the rollouts of its predecessor have ended. A user's change does not
// wait.
func TestUpgradesTakeTurns(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	names := []string{"one", "two", "three"}
	for _, name := range names {
		o.processor(name)
		o.runs(name, 2)
	}
	o.rollouts = 1
	o.upgrade("worker:2")
	var first, other string
	o.eventually("the first rollout", func() error {
		first = o.rolling(names, "worker:2")
		if first == "" {
			return errUnsettled
		}
		return nil
	})
	for _, name := range names {
		if name != first {
			o.expect(name, "RolloutHeld", yes, "WaitingForTurn", "the operator has a new pod template")
			o.expect(name, "Ready", yes, "Running")
			other = name
		}
	}

	// Scaling does not change the template.
	o.update(other, wantsReplicas(4))
	if d := o.replicas(other, 4); imageOf(d) != "worker:1" {
		t.Errorf("scaling %s has replaced its pods", other)
	}
	// A user's change of the configuration does not wait.
	o.update(other, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Processor.CEL.Filter = "true" })
	o.hasImage(other, "worker:2")
	o.expect(other, "RolloutHeld", "", "")

	// The next leader knows nothing of these turns.
	o.upgrade("worker:2")
	var last string
	for _, name := range names {
		if name != first && name != other {
			last = name
		}
	}
	o.expect(last, "RolloutHeld", yes, "WaitingForTurn")
	o.runs(first, 2)
	o.runs(other, 4)
	o.hasImage(last, "worker:2")
	o.expect(last, "RolloutHeld", "", "")
}

// rolling returns the StreamProcessor whose pods have an image, "" if none has it.
func (o *operator) rolling(names []string, image string) string {
	o.Helper()
	for _, name := range names {
		if d := o.deployment(name, func(*appsv1.Deployment) error { return nil }); imageOf(d) == image {
			return name
		}
	}
	return ""
}

// TestPaused: neither the user's change nor the operator's replaces the pods, and their
// number still follows the spec.
func TestPaused(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	before := o.runs("enrich", 2)
	pause := func(value string) func(*v1alpha1.StreamProcessor) {
		return func(sp *v1alpha1.StreamProcessor) {
			sp.Annotations = map[string]string{v1alpha1.PausedAnnotation: value}
		}
	}
	o.update("enrich", pause("true"))
	o.expect("enrich", "RolloutHeld", yes, "Paused", "there are none at the moment")
	o.expect("enrich", "Reconciling", "", "")

	o.upgrade("worker:2")
	o.expect("enrich", "RolloutHeld", yes, "Paused", "the operator's new template", "remove the annotation")
	o.expect("enrich", "Reconciling", "", "") // what the user asked for runs
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Ordering = v1alpha1.Key
		sp.Spec.Replicas = new(int32(3))
	})
	d := o.runs("enrich", 3)
	o.expect("enrich", "Reconciling", yes, "Paused", "the changes of the spec")
	if imageOf(d) != "worker:1" || fileOf(d) != fileOf(before) {
		t.Errorf("the pods get another template: %+v", d.Spec.Template)
	}
	o.update("enrich", pause("false"))
	d = o.hasImage("enrich", "worker:2")
	if fileOf(d) == fileOf(before) {
		t.Error("the pods have the old file")
	}
	o.expect("enrich", "RolloutHeld", "", "")
}
