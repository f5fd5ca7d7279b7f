package crd

import (
	"errors"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// TestALaptopRefusesTheSame checks that `millrace run` refuses the same manifests as the API
// server, so that a manifest that ran locally can be applied.
func TestALaptopRefusesTheSame(t *testing.T) {
	tolerated := []string{
		// These values are within the bounds, but in a form that the rules do not know.
		inFlight("1048576000m"), autoscaling("vertical: {maxCPU: 1k}"),
	}
	for _, rule := range allRules(t) {
		// Expressions are checked when they are compiled.
		if rule.field == "spec.processor.cel.headers" {
			continue
		}
		for _, change := range rule.refuse {
			if locally(t, parse(t, least, change).Object) == nil && !slices.Contains(tolerated, change) {
				t.Errorf("a laptop accepts %s; a cluster refuses %s: %s", short(change), rule.field, rule.says)
			}
		}
		for _, change := range rule.accept {
			if err := locally(t, parse(t, least, change).Object); err != nil {
				t.Errorf("%s: %v", short(change), err)
			}
		}
	}
}

// locally checks a manifest as `millrace run` does.
func locally(t *testing.T, object map[string]any) error {
	t.Helper()
	manifest, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	sp, err := v1alpha1.Decode(manifest)
	if err != nil {
		return err
	}
	_, err = resources.WorkerConfig(sp, "/credentials")
	return errors.Join(err, resources.CheckForCluster(sp))
}
