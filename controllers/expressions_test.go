package controllers

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestBadExpressions: the status names mistakes by field, line and column before a pod
// starts, and running pods go on.
func TestBadExpressions(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	expressions := func(c v1alpha1.CELSpec) func(*v1alpha1.StreamProcessor) {
		return func(sp *v1alpha1.StreamProcessor) { sp.Spec.Processor.CEL = &c }
	}
	o.processor("enrich", expressions(v1alpha1.CELSpec{
		Filter: "json.total > 0",
		Key:    "json.customer +",
		Value:  "jsn",
	}))
	o.expect("enrich", "Stalled", yes, "InvalidSpec", "spec.processor.cel.key:1:16: the expression ends too early", "spec.processor.cel.value:1:1: undeclared reference to 'jsn'")
	if err := o.client.Get(t.Context(), o.key("enrich-worker"), &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("a Deployment is there: %v", err)
	}
	o.update("enrich", expressions(v1alpha1.CELSpec{Filter: "json.total > 0"}))
	d := o.replicas("enrich", 2)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	if n := o.checks.Load(); n != 2 {
		t.Errorf("the expressions were compiled %d times; want once for each change", n)
	}
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Processor.CEL.Filter = "topic"
		sp.Spec.Replicas = new(int32(3))
	})
	o.expect("enrich", "Stalled", yes, "InvalidSpec", "spec.processor.cel.filter: the result must be a bool, but is string")
	if now := o.replicas("enrich", 2); now.Generation != d.Generation {
		t.Errorf("the operator changed running pods: %+v", now.Spec)
	}
}
