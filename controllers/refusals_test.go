package controllers

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// TestRefusedIsTriedAgain: the operator tries a refused object again after growing
// pauses, since a quota may have room later.
func TestRefusedIsTriedAgain(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	tries, refusing := 0, true
	w.intercept(interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if content, err := json.Marshal(o); err != nil || strings.Contains(string(content), `"kind":"Service"`) {
				tries++
				if refusing {
					return apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "enrich-worker", errQuota)
				}
			}
			return c.Apply(ctx, o, opts...)
		},
	})
	look := func() time.Duration {
		t.Helper()
		result, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: worldKey})
		w.must(err)
		return result.RequeueAfter
	}
	pass := func(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }
	pauses := []time.Duration{firstRetry, 2 * firstRetry, 4 * firstRetry}
	for i, want := range pauses {
		if again := look(); again != want || tries != i+1 {
			t.Errorf("after %d tries, again in %v; want %v", tries, again, want)
		}
		pass(want - time.Second)
		if again := look(); again != time.Second || tries != i+1 {
			t.Errorf("in between, %d tries, again in %v", tries, again)
		}
		pass(time.Second)
	}
	if message := condition(w.status(), "Ready", "Refused"); !strings.Contains(message, "Service enrich-worker") || !strings.Contains(message, "quota") {
		t.Errorf("Ready says %q", message)
	}
	refusing = false
	look()
	if message := condition(w.status(), "Ready", "Refused"); tries != len(pauses)+1 || message != "" {
		t.Errorf("%d tries, and Ready says %q", tries, message)
	}
	if len(w.r.applier.kept.get(worldKey).refusals) != 0 {
		t.Error("the refusal is still remembered")
	}
}
