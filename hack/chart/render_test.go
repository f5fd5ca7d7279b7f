package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

const (
	root  = "../.."
	chart = root + "/config/chart"
	// The release of all tests, and its namespace.
	release   = "millrace"
	namespace = "millrace-system"
)

// scenarios are the files in testdata with values.
var scenarios = []string{"default", "namespaced", "everything", "bare"}

// helm runs Helm, without the user's settings, and returns its output. If Helm is missing, it
// skips the test, or fails it in continuous integration.
func helm(tb testing.TB, env []string, args ...string) (string, error) {
	tb.Helper()
	program, err := filepath.Abs(root + "/bin/helm")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(tb, "no Helm: run make bin/helm")
	}
	home := tb.TempDir()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_CACHE_HOME="+home, "HELM_DATA_HOME="+home)
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("helm %s: %w: %s", args[0], err, stderr.String())
	}
	return stdout.String(), nil
}

// render returns the chart's manifests for a cluster with the Prometheus operator.
func render(tb testing.TB, args ...string) (string, error) {
	tb.Helper()
	return helm(tb, nil, append([]string{
		"template", release, chart, "--namespace", namespace,
		"--api-versions", "monitoring.coreos.com/v1/ServiceMonitor,monitoring.coreos.com/v1/PodMonitor,monitoring.coreos.com/v1/PrometheusRule",
	}, args...)...)
}

func values(scenario string) string {
	return filepath.Join("testdata", scenario+".values.yaml")
}

// rendered returns the objects of a scenario.
func rendered(tb testing.TB, scenario string) []*unstructured.Unstructured {
	tb.Helper()
	manifests, err := render(tb, "--values", values(scenario))
	if err != nil {
		tb.Fatal(err)
	}
	return objects(tb, manifests)
}

// objects reads YAML documents.
func objects(tb testing.TB, manifests string) []*unstructured.Unstructured {
	tb.Helper()
	var all []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(manifests), 4096); ; {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatalf("read the rendered manifests: %v", err)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// find returns the one object of a kind and name, as its Go type.
func find[T any](tb testing.TB, from []*unstructured.Unstructured, kind, name string) T {
	tb.Helper()
	var found T
	for _, object := range from {
		if object.GetKind() != kind || object.GetName() != name {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &found, true); err != nil {
			tb.Fatal(err)
		}
		return found
	}
	tb.Fatalf("there is no %s %s", kind, name)
	return found
}
