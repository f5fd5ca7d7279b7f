package controllers

import (
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
)

// TestADecisionOutlivesAConflict: somebody writes the StreamProcessor after the operator
// has read it and before the operator writes the status. The operator has scaled the pods
// by then, so the next reconciliation decides nothing, and still reports the decision.
func TestADecisionOutlivesAConflict(t *testing.T) {
	t.Parallel()
	o := newOperator(t, 6)
	var once sync.Once
	o.kafka.onSet = func(key types.NamespacedName) {
		once.Do(func() {
			sp := &v1alpha1.StreamProcessor{}
			sp.Name, sp.Namespace = key.Name, key.Namespace
			if err := o.client.Patch(o.Context(), sp, client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"touched": "1"}}}`))); err != nil {
				o.Error(err)
			}
		})
	}
	o.run(plan.Environment{WorkerImage: "worker:1"})
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Autoscaling = &v1alpha1.AutoscalingSpec{MinReplicas: 3, MaxReplicas: 5}
	})
	o.replicas("enrich", 3)
	if d := o.decided("enrich", "BelowMin"); d.From != 0 || d.To != 3 {
		t.Errorf("the decision: %+v", d)
	}
	o.event("enrich", "Scaled")
	o.eventually("the touch", func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := o.client.Get(o.Context(), o.key("enrich"), sp); err != nil {
			return err
		}
		if sp.Labels["touched"] == "" {
			return fmt.Errorf("the labels are %v", sp.Labels)
		}
		return nil
	})
}
