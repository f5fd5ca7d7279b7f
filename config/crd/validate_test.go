package crd_test

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/cmd/millrace/validate"
	"github.com/millrace-dev/millrace/config/crd"
)

// TestValidateSaysTheSame: `millrace validate` says of each manifest in the tables what the
// API server says of it.
func TestValidateSaysTheSame(t *testing.T) {
	for _, change := range crd.Refused(t) {
		field := strings.Replace(change.Field, "<nil>", "metadata.name", 1)
		field = strings.NewReplacer("[logicalCluster]", ".logicalCluster").Replace(field)
		said := false
		findings := findingsOf(t, change.Manifest)
		for _, f := range findings {
			said = said || f.Path == field && strings.Contains(f.Problem, strings.TrimPrefix(change.Says, "must be "))
		}
		if !said {
			t.Errorf("%s\nfound %q\nwant %s: %s", change.Manifest, findings, field, change.Says)
		}
	}
	for _, manifest := range crd.Accepted(t) {
		for _, f := range findingsOf(t, manifest) {
			// The tables have values in the place of expressions.
			if !strings.HasPrefix(f.Path, "spec.processor.cel.") {
				t.Errorf("%s\nfound %q, but the API server accepts it", manifest, f)
			}
		}
	}
}

func findingsOf(t *testing.T, manifest string) []validate.Finding {
	t.Helper()
	objects, err := validate.File([]byte(manifest))
	if err != nil || len(objects) != 1 {
		t.Fatalf("%d objects, error %v", len(objects), err)
	}
	return objects[0].Findings
}
