package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

// applied sets the Deployment to the one that the plan makes.
func applied(o *Observed) {
	status := o.Deployment.Status
	for _, act := range Make(*o).Apply {
		if d, ok := act.Object.(*appsv1.Deployment); ok {
			o.Deployment = d
		}
	}
	o.Deployment.Status = status
	o.Deployment.Generation = status.ObservedGeneration
}

func paused(o *Observed) {
	o.Processor.Annotations = map[string]string{v1alpha1.PausedAnnotation: "true"}
}

// edit changes the spec as a user does.
func edit(change func(*v1alpha1.StreamProcessorSpec)) func(*Observed) {
	return func(o *Observed) {
		change(&o.Processor.Spec)
		o.Processor.Generation++
	}
}

func TestRolloutOf(t *testing.T) {
	image := func(o *Observed) { o.Environment.WorkerImage = "worker:2" }
	secret := func(o *Observed) { o.Credentials.Hash = "new" }
	topic := edit(func(s *v1alpha1.StreamProcessorSpec) { s.Output.Topic = "others" })
	filter := edit(func(s *v1alpha1.StreamProcessorSpec) { s.Processor.CEL.Filter = "true" })
	scale := edit(func(s *v1alpha1.StreamProcessorSpec) { s.Replicas = new(int32(3)) })
	autoscale := edit(func(s *v1alpha1.StreamProcessorSpec) {
		s.Autoscaling = &v1alpha1.AutoscalingSpec{MaxReplicas: 4}
		s.DeletionPolicy = v1alpha1.DeleteGroup
	})
	// A new CRD has another default, which changes the spec without a user.
	crdDefault := func(o *Observed) { o.Processor.Spec.InFlight.Records = new(int32(7)) }
	foreign := func(o *Observed) { o.Foreign = []string{"ServiceAccount enrich-worker"} }
	leaving := func(o *Observed) { o.Leaving = []string{"ConfigMap enrich-worker-0"} }
	for _, c := range []struct {
		name                      string
		o                         Observed
		pending, byOperator, turn bool
		hold                      string
	}{
		{"nothing new", observed(applied), false, false, false, ""},
		{"the first time", observed(none), false, false, false, ""},
		{"scaled", observed(applied, scale), false, false, false, ""},
		{"autoscaled from now on", observed(applied, autoscale), false, false, false, ""},
		{"a new worker image", observed(applied, image), true, true, true, ""},
		{"a Deployment of an operator that left no notes", observed(), true, true, true, ""},
		{"a default of a new CRD", observed(applied, crdDefault), true, true, true, ""},
		{"a new image of a scaled one", observed(applied, image, scale), true, true, true, ""},
		{"a new image of one without pods", observed(wants(0), runs(0), applied, image), true, true, false, ""},
		{"a new image of a suspended one", observed(applied, suspend, image), true, true, false, ""},
		{"the user's change", observed(applied, topic), true, false, false, ""},
		{"the user's change and a new image", observed(applied, image, topic), true, false, false, ""},
		{"other expressions", observed(applied, expressions, filter, expressions), true, false, false, ""},
		{"other expressions and a new image", observed(applied, expressions, image, filter, expressions), true, false, false, ""},
		{"a new image after other expressions", observed(filter, applied, expressions, image), true, true, true, ""},
		{"paused, other expressions", observed(applied, paused, expressions, filter, expressions), true, false, false, "paused"},
		{"a Secret", observed(applied, secret), true, false, false, ""},
		{"paused, nothing new", observed(applied, paused), false, false, false, ""},
		{"paused, a new image", observed(applied, paused, image), true, true, false, "paused"},
		{"paused, the user's change", observed(applied, paused, topic), true, false, false, "paused"},
		{"paused, a Secret", observed(applied, paused, secret), true, false, false, "paused"},
		{"paused at zero pods", observed(wants(0), runs(0), applied, paused, image), true, true, false, "paused"},
		{"paused and suspended", observed(applied, paused, suspend, topic), true, false, false, ""},
		{"made while paused", observed(none, paused), false, false, false, ""},
		{"another's ServiceAccount", observed(applied, foreign), false, false, false, "ServiceAccount enrich-worker"},
		{"another's ServiceAccount, the first time", observed(none, foreign), false, false, false, "ServiceAccount enrich-worker"},
		{"a predecessor's ConfigMap", observed(none, leaving), false, false, false, "ConfigMap enrich-worker-0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Make(c.o).Rollout
			if r.Pending != c.pending || r.ByOperator != c.byOperator || r.Turn != c.turn ||
				(r.Hold != "") != (c.hold != "") || !strings.Contains(r.Hold, c.hold) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestRolloutHeld: a condition shows the reason for holding a rollout, and a user's change
// that does not reach the pods does not count as done.
func TestRolloutHeld(t *testing.T) {
	image := func(o *Observed) { o.Environment.WorkerImage = "worker:2" }
	topic := edit(func(s *v1alpha1.StreamProcessorSpec) { s.Output.Topic = "others" })
	filter := edit(func(s *v1alpha1.StreamProcessorSpec) { s.Processor.CEL.Filter = "true" })
	for _, c := range []struct {
		name  string
		o     Observed
		await bool
		want  string
	}{
		{"nothing", observed(applied), false, "Ready=True/Running"},
		{"its turn is to come", observed(applied, image), true, "Ready=True/Running RolloutHeld=True/WaitingForTurn"},
		{"paused", observed(applied, paused), false, "Ready=True/Running RolloutHeld=True/Paused"},
		{"paused, a new image", observed(applied, paused, image), false, "Ready=True/Running RolloutHeld=True/Paused"},
		{"paused, other expressions", observed(applied, paused, expressions, filter, expressions, reports(former, former)), false, "Ready=True/Running RolloutHeld=True/Paused Reconciling=True/Paused"},
		{"paused, a user's change", observed(applied, paused, topic), false, "Ready=True/Running RolloutHeld=True/Paused Reconciling=True/Paused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Make(c.o)
			if c.await {
				p.Await()
			}
			shown, _ := p.Conditions(c.o)
			var conditions []metav1.Condition
			status.Set(&conditions, 1, metav1.Time{Time: time.Unix(1, 0)}, shown...)
			var got []string
			for _, condition := range conditions {
				if slices.Contains([]string{status.Ready, status.Reconciling, status.Stalled, status.RolloutHeld}, condition.Type) {
					got = append(got, condition.Type+"="+string(condition.Status)+"/"+condition.Reason)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), c.want)
			}
		})
	}
}
