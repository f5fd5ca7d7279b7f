package crd

import (
	"context"
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestNobodyHasLookedAtIt checks the status that kstatus computes, which Helm and Flux use.
// An object is not current if no operator has looked at it yet, or if its spec has changed
// since.
func TestNobodyHasLookedAtIt(t *testing.T) {
	api := controllerstest.Start(t)
	sp := create(t, api)
	if sp.Status.ObservedGeneration != -1 {
		t.Errorf("got observedGeneration %d of a new object, want -1", sp.Status.ObservedGeneration)
	}
	expectStatus(t, api, sp, kstatus.InProgressStatus)

	sp.Status = v1alpha1.StreamProcessorStatus{ObservedGeneration: 1, Conditions: []metav1.Condition{{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Running", LastTransitionTime: metav1.Now(),
	}}}
	if err := api.Client.Status().Update(context.Background(), sp); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, api, sp, kstatus.CurrentStatus)

	sp = get(t, api, client.ObjectKeyFromObject(sp))
	sp.Spec.Replicas = new(int32(5))
	if err := api.Client.Update(context.Background(), sp); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, api, sp, kstatus.InProgressStatus)
}

func expectStatus(t *testing.T, api *controllerstest.API, sp *v1alpha1.StreamProcessor, want kstatus.Status) {
	t.Helper()
	object := parse(t, least)
	if err := api.Client.Get(context.Background(), client.ObjectKeyFromObject(sp), object); err != nil {
		t.Fatal(err)
	}
	result, err := kstatus.Compute(object)
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != want {
		t.Errorf("kstatus says %s (%s), want %s", result.Status, result.Message, want)
	}
}
