package chart

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestCRDOutlivesReleases checks that the chart installs the CRD, that an upgrade upgrades it, and
// that StreamProcessors stay when the release is uninstalled.
func TestCRDOutlivesReleases(t *testing.T) {
	api := controllerstest.StartEmpty(t)
	env := []string{"KUBECONFIG=" + kubeconfig(t, api.Config)}
	run := func(args ...string) {
		t.Helper()
		if out, err := helm(t, env, append(args, "--namespace", namespace)...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	run("install", release, older(t), "--create-namespace")
	if crd := get(t, api); hasScale(crd) {
		t.Fatal("the older chart has the present CRD, so the test proves nothing")
	}
	run("upgrade", release, chart)
	crd := get(t, api)
	if !hasScale(crd) {
		t.Error("the upgrade did not bring the new CRD")
	}
	// This cluster can't run the pod of the hook.
	run("uninstall", release, "--no-hooks")
	if after := get(t, api); after.UID != crd.UID || after.DeletionTimestamp != nil {
		t.Error("the CRD was deleted, and with it all StreamProcessors")
	}
	run("install", "other", chart, "--take-ownership")
	run("upgrade", "other", chart, "--set", "crds.keep=false")
	if _, kept := get(t, api).Annotations["helm.sh/resource-policy"]; kept {
		t.Error("crds.keep=false keeps the CRD")
	}
}

// older returns the chart with a CRD that has no scale subresource.
func older(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "millrace")
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "files", "crd.yaml")
	crd := find[apiextensionsv1.CustomResourceDefinition](t, objects(t, string(read(t, "config/chart/files/crd.yaml"))),
		"CustomResourceDefinition", "streamprocessors.millrace.dev")
	for i := range crd.Spec.Versions {
		crd.Spec.Versions[i].Subresources.Scale = nil
	}
	if err := os.WriteFile(file, []byte(marshal(t, crd)), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func hasScale(crd *apiextensionsv1.CustomResourceDefinition) bool {
	return crd.Spec.Versions[0].Subresources.Scale != nil
}

func get(t *testing.T, api *controllerstest.API) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "streamprocessors.millrace.dev"}}
	if err := api.Client.Get(context.Background(), client.ObjectKeyFromObject(crd), crd); err != nil {
		t.Fatal(err)
	}
	return crd
}
