package chart

import (
	"context"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

func TestMain(m *testing.M) { controllerstest.Main(m) }

// TestServerTakesIt checks that the API server accepts all fields of the objects of the chart and
// of the kustomization.
func TestServerTakesIt(t *testing.T) {
	api := controllerstest.Start(t)
	for _, name := range []string{namespace, "team-a", "team-b"} {
		ensureNamespace(t, api, name)
	}
	for _, scenario := range scenarios {
		t.Run(scenario, func(t *testing.T) { applyAll(t, api, rendered(t, scenario), client.DryRunAll) })
	}
	t.Run("kustomize", func(t *testing.T) { applyAll(t, api, kustomized(t, api), client.DryRunAll) })
}

// kustomized returns the objects that make deploy applies.
func kustomized(tb testing.TB, api *controllerstest.API) []*unstructured.Unstructured {
	tb.Helper()
	manifests, err := api.Kubectl(tb, "", "kustomize", filepath.Join(root, "config", "default"))
	if err != nil {
		tb.Fatal(err)
	}
	return objects(tb, manifests)
}

// ensureNamespace creates a namespace that accepts only restricted pods.
func ensureNamespace(tb testing.TB, api *controllerstest.API, name string) {
	tb.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := api.Client.Create(context.Background(), ns); err != nil && !apierrors.IsAlreadyExists(err) {
		tb.Fatal(err)
	}
}

// applyAll applies the objects except those of the Prometheus operator, whose kinds the server
// does not have.
func applyAll(tb testing.TB, api *controllerstest.API, all []*unstructured.Unstructured, opts ...client.ApplyOption) {
	tb.Helper()
	opts = append(opts, client.FieldOwner("test"), client.ForceOwnership)
	for _, object := range all {
		if object.GroupVersionKind().Group == "monitoring.coreos.com" {
			continue
		}
		if err := api.Client.Apply(context.Background(), client.ApplyConfigurationFromUnstructured(object.DeepCopy()), opts...); err != nil {
			tb.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}
