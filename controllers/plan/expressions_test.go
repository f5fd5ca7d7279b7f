package plan

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// former is a version of expressions that no spec of these tests has.
const former = "0000000000000000"

// expressions observes those of the spec as wanted. The first call also observes the
// ConfigMap with them, which later ones leave as it is.
func expressions(o *Observed) {
	o.Expressions.Wanted = resources.ExpressionsVersion(o.Processor, o.Expressions.Live)
	for _, act := range Make(*o).Apply {
		if c, ok := act.Object.(*corev1.ConfigMap); ok && act.WithTemplate && o.Expressions.Live == nil {
			o.Expressions.Live = c
		}
	}
}

// reports sets the versions that the pods run; "" stands for the wanted one.
func reports(versions ...string) func(*Observed) {
	return func(o *Observed) {
		o.Expressions.Pods = nil
		for i, version := range versions {
			p := PodExpressions{Name: "enrich-" + string(rune('1'+i)), Version: version}
			if version == "" {
				p.Version = o.Expressions.Wanted
			}
			o.Expressions.Pods = append(o.Expressions.Pods, p)
		}
	}
}

func refuses(o *Observed) {
	p := &o.Expressions.Pods[0]
	p.Version, p.Refused, p.Error = former, o.Expressions.Wanted, "processor.cel.key:1:1: boom"
}

func unheard(n int) func(*Observed) { return func(o *Observed) { o.Expressions.Unheard = n } }

// reported sets the status' part about the expressions.
func reported(version string, pods, updated int32) func(*Observed) {
	return func(o *Observed) {
		if version == "" {
			version = o.Expressions.Wanted
		}
		o.Processor.Status.Expressions = &v1alpha1.ExpressionsStatus{Version: version, Pods: pods, UpdatedPods: updated}
	}
}

func TestReloading(t *testing.T) {
	for name, c := range map[string]struct {
		o    Observed
		want string
		says string
	}{
		"all run them":           {observed(expressions, reports("", "")), "Current True/Running", "2 members"},
		"nobody has answered":    {observed(expressions), "Current True/Running", "2 members"},
		"another processor":      {observed(reports(former)), "Current True/Running", "2 members"},
		"one is behind":          {observed(expressions, reports("", former)), "InProgress True/Running", "2 members"},
		"one refuses them":       {observed(expressions, reports("", ""), refuses), "Failed False/ExpressionsRefused", "pod enrich-1 can't use the expressions and goes on with the former ones: processor.cel.key:1:1: boom"},
		"others are also behind": {observed(expressions, reports("", former), refuses), "Failed False/ExpressionsRefused", "boom"},
		"not all pods are ready": {observed(expressions, reports(former), counts(2, 2, 1)), "InProgress False/PodsNotReady", "1 of 2"},
		"while paused":           {observed(expressions, applied, paused, edit(func(s *v1alpha1.StreamProcessorSpec) { s.Processor.CEL.Key = "topic" }), expressions, reports(former, former)), "InProgress True/Running", "2 members"},
		"an operator that has just started, after a change":   {observed(expressions, unheard(2), reported(former, 2, 2)), "InProgress True/Running", "2 members"},
		"an operator that has just started, within a change":  {observed(expressions, unheard(2), reported("", 2, 1)), "InProgress True/Running", "2 members"},
		"an operator that has just started, without a change": {observed(expressions, unheard(2), reported("", 2, 2)), "Current True/Running", "2 members"},
	} {
		t.Run(name, func(t *testing.T) {
			if seen, message, _ := look(&c.o, now); seen != c.want || !strings.Contains(message, c.says) {
				t.Errorf("%s: %s; want %s: %s", seen, message, c.want, c.says)
			}
		})
	}
}

// TestReloadThatDoesNotEnd: pods that don't run changed expressions after some minutes need
// somebody to look at their node.
func TestReloadThatDoesNotEnd(t *testing.T) {
	o := observed(expressions, reports("", former))
	if seen, _, again := look(&o, now); seen != "InProgress True/Running" || again != reloadGrace {
		t.Errorf("%s, again in %v", seen, again)
	}
	if seen, message, _ := look(&o, now.Add(reloadGrace)); seen != "Failed False/ReloadInProgress" || !strings.Contains(message, "pod enrich-2 runs version "+former) {
		t.Errorf("%s: %s", seen, message)
	}
	reports("", "")(&o)
	if seen, _, _ := look(&o, now.Add(reloadGrace+time.Second)); seen != "Current True/Running" {
		t.Error(seen)
	}
}

func TestExpressionsStatus(t *testing.T) {
	for name, c := range map[string]struct {
		o    Observed
		want *v1alpha1.ExpressionsStatus
	}{
		"another processor":                 {observed(), nil},
		"one is behind":                     {observed(expressions, reports("", former, "")), &v1alpha1.ExpressionsStatus{Pods: 3, UpdatedPods: 2}},
		"one refuses them":                  {observed(expressions, reports("", ""), refuses), &v1alpha1.ExpressionsStatus{Pods: 2, UpdatedPods: 1}},
		"an operator that has just started": {observed(expressions, reports(""), unheard(2), reported("", 3, 3)), &v1alpha1.ExpressionsStatus{Pods: 3, UpdatedPods: 3}},
		"and the expressions have changed":  {observed(expressions, reports(""), unheard(2), reported(former, 3, 3)), &v1alpha1.ExpressionsStatus{Pods: 3, UpdatedPods: 1}},
	} {
		if c.want != nil {
			c.want.Version = c.o.Expressions.Wanted
		}
		got := c.o.Expressions.Status(c.o.Processor.Status.Expressions)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestAChangeWhileNoOperatorRuns: the status that the next operator writes first does not
// end the change before the pods have said which version they run.
func TestAChangeWhileNoOperatorRuns(t *testing.T) {
	o := observed(expressions, unheard(2), reported(former, 2, 2))
	for _, step := range []struct {
		name   string
		change func(*Observed)
		want   string
	}{
		{"no pod has answered", func(*Observed) {}, "InProgress True/Running"},
		{"after its first status", func(*Observed) {}, "InProgress True/Running"},
		{"one pod has answered", func(o *Observed) { reports("")(o); unheard(1)(o) }, "InProgress True/Running"},
		{"all have", func(o *Observed) { reports("", "")(o); unheard(0)(o) }, "Current True/Running"},
	} {
		step.change(&o)
		if seen, message, _ := look(&o, now); seen != step.want {
			t.Errorf("%s: %s: %s", step.name, seen, message)
		}
		o.Processor.Status.Expressions = o.Expressions.Status(o.Processor.Status.Expressions)
	}
}

// TestFailingPodsAreReplaced: changed expressions replace the pods only if one of them
// fails, and the next observation comes to the same template.
func TestFailingPodsAreReplaced(t *testing.T) {
	crash := pod("enrich-1", "present", crashed(4, time.Minute))
	filter := edit(func(s *v1alpha1.StreamProcessorSpec) { s.Processor.CEL.Filter = "true" })
	applied := func(o *Observed) {
		applied(o)
		o.Deployment.Annotations[revisionAnnotation] = "2"
	}
	for _, c := range []struct {
		name     string
		o        Observed
		template bool
	}{
		{"all run", observed(applied, expressions, filter, expressions), false},
		{"one fails", observed(applied, expressions, crash, filter, expressions), true},
		{"one fails, and the expressions have not changed", observed(applied, expressions, crash), false},
		{"one fails, and is not of the Deployment", observed(applied, expressions, pod("enrich-1", "somebody's", crashed(4, time.Minute)), filter, expressions), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := resources.RevisionOf(c.o.Deployment).Template
			p := Make(c.o)
			after := templateOf(t, p)
			if (after != before) != c.template || p.Rollout.Hold != "" {
				t.Errorf("replaced: %t, held: %q", after != before, p.Rollout.Hold)
			}
			// The ConfigMap is applied, and the operator ends before it applies the
			// Deployment.
			for _, act := range p.Apply {
				if act.WithTemplate {
					c.o.Expressions.Live = act.Object.(*corev1.ConfigMap)
				}
			}
			if again := templateOf(t, Make(c.o)); again != after {
				t.Error("the next template is another one")
			}
			// The Deployment is applied too, and somebody deletes the ConfigMap.
			for _, act := range p.Apply {
				if d, ok := act.Object.(*appsv1.Deployment); ok {
					c.o.Deployment, c.o.Expressions.Live = d, nil
				}
			}
			if again := templateOf(t, Make(c.o)); again != after {
				t.Error("without the ConfigMap the template is another one")
			}
		})
	}
}

func templateOf(t *testing.T, p Plan) string {
	t.Helper()
	for _, act := range p.Apply {
		if d, ok := act.Object.(*appsv1.Deployment); ok {
			return resources.RevisionOf(d).Template
		}
	}
	t.Fatal("the plan has no Deployment")
	return ""
}

// TestExpressionsAreHeldWithTheTemplate: only the ConfigMap with the expressions is, and it
// comes right before the Deployment.
func TestExpressionsAreHeldWithTheTemplate(t *testing.T) {
	acts := Make(observed(expressions)).Apply
	for i, act := range acts {
		if last := i == len(acts)-2; act.WithTemplate != last || last && !act.Needed {
			t.Errorf("%s: held %t, needed %t", Describe(act.Object), act.WithTemplate, act.Needed)
		}
	}
	if !status.Ordinary(status.ReloadInProgress) || status.Ordinary(status.ExpressionsRefused) {
		t.Error("events take a change for a trouble, or a trouble for a change")
	}
}
