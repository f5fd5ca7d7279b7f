package resources

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestLogLevel checks that the spec's log level takes precedence over the operator's.
func TestLogLevel(t *testing.T) {
	for _, c := range []struct{ spec, operator, want v1alpha1.LogLevel }{
		{"", "", v1alpha1.LogInfo},
		{"", v1alpha1.LogDebug, v1alpha1.LogDebug},
		{v1alpha1.LogInfo, v1alpha1.LogDebug, v1alpha1.LogInfo},
		{v1alpha1.LogDebug, v1alpha1.LogInfo, v1alpha1.LogDebug},
	} {
		sp := read(t, "minimal.yaml")
		sp.Spec.LogLevel = c.spec
		objects, err := Objects(sp, Inputs{WorkerImage: "worker:1", Replicas: 1, Partitions: 1, LogLevel: c.operator})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			if m, ok := o.(*corev1.ConfigMap); ok && !HoldsExpressions(m) && !strings.Contains(m.Data[configFile], "logLevel: "+string(c.want)+"\n") {
				t.Errorf("spec %q, operator %q: want %s in\n%s", c.spec, c.operator, c.want, m.Data[configFile])
			}
		}
	}
	sp := read(t, "minimal.yaml")
	sp.Spec.LogLevel = "2"
	if _, err := Objects(sp, Inputs{}); err == nil || !strings.Contains(err.Error(), `spec.logLevel: "2" is not allowed`) {
		t.Errorf("error %v, want one that names spec.logLevel", err)
	}
}
