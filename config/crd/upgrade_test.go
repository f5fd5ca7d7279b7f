package crd

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestUpgrade checks that objects created under an earlier CRD stay valid under the current
// one, with defaults in the new fields.
func TestUpgrade(t *testing.T) {
	api := controllerstest.StartEmpty(t)
	if _, err := envtest.InstallCRDs(api.Config, envtest.CRDInstallOptions{Paths: []string{"testdata/earlier.yaml"}}); err != nil {
		t.Fatal(err)
	}
	small := create(t, api)
	small.Status = v1alpha1.StreamProcessorStatus{ObservedGeneration: 1, Replicas: 1, Conditions: allStatus().Conditions}
	if err := api.Client.Status().Update(context.Background(), small); err != nil {
		t.Fatal(err)
	}
	// An invalid value of a field that does not change may stay.
	bad := create(t, api, spec("delivery: ExactlyOnce, drainTimeout: 2h, replicas: 3"))

	upgrade(t, api)
	waitForDefaults(t, api, client.ObjectKeyFromObject(small))
	got := get(t, api, client.ObjectKeyFromObject(small))
	want, err := v1alpha1.Decode([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	want.Spec.Replicas = new(int32(1)) // that form's default
	if !apiequality.Semantic.DeepEqual(got.Spec, want.Spec) || got.Status.Replicas != 1 || got.Status.Conditions[0].Reason != "Running" {
		t.Errorf("the object is now\n%s", asYAML(t, got))
	}
	checkWritable(t, api, client.ObjectKeyFromObject(small))
	checkWritable(t, api, client.ObjectKeyFromObject(bad))
	if got := get(t, api, client.ObjectKeyFromObject(bad)); got.Spec.Delivery != v1alpha1.ExactlyOnce || got.Spec.DrainTimeout.Duration != 2*time.Hour {
		t.Errorf("delivery %s, drainTimeout %s", got.Spec.Delivery, got.Spec.DrainTimeout.Duration)
	}
}

func upgrade(t *testing.T, api *controllerstest.API) {
	t.Helper()
	installed := &apiextensionsv1.CustomResourceDefinition{}
	wanted := readCRD(t, current)
	if err := api.Client.Get(context.Background(), client.ObjectKeyFromObject(wanted), installed); err != nil {
		t.Fatal(err)
	}
	installed.Spec = wanted.Spec
	if err := api.Client.Update(context.Background(), installed); err != nil {
		t.Fatal(err)
	}
}

// waitForDefaults waits until the server uses the current CRD.
func waitForDefaults(t *testing.T, api *controllerstest.API, key client.ObjectKey) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return get(t, api, key).Spec.DeletionPolicy == v1alpha1.KeepGroup, nil
	})
	if err != nil {
		t.Fatalf("the server does not set the new defaults: %v", err)
	}
}

// checkWritable checks that the spec and the status can be changed.
func checkWritable(t *testing.T, api *controllerstest.API, key client.ObjectKey) {
	t.Helper()
	sp := get(t, api, key)
	before := sp.DeepCopy()
	sp.Spec.Replicas = new(int32(8))
	if err := strict(api).Patch(context.Background(), sp, client.MergeFrom(before)); err != nil {
		t.Errorf("patch: %v", err)
	}
	sp.Status = allStatus()
	if err := strict(api).Status().Update(context.Background(), sp); err != nil {
		t.Errorf("update of the status: %v", err)
	}
	got := get(t, api, key)
	if *got.Spec.Replicas != 8 || !apiequality.Semantic.DeepEqual(got.Status, allStatus()) {
		t.Errorf("the object is then\n%s", asYAML(t, got))
	}
}

// TestFitsIntoAnAnnotation checks the size of the CRD. kubectl apply stores a copy of it in
// an annotation, which may have 256 KiB.
func TestFitsIntoAnAnnotation(t *testing.T) {
	content, err := json.Marshal(readCRD(t, current))
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 200<<10 {
		t.Errorf("the CRD has %d bytes: shorten its descriptions", len(content))
	}
}

func TestKubectlAppliesTheKustomization(t *testing.T) {
	api := controllerstest.Start(t)
	if out, err := api.Kubectl(t, "", "apply", "--dry-run=server", "-k", "."); err != nil {
		t.Errorf("%s%v", out, err)
	}
}
