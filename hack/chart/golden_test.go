package chart

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden shows the effect of a change of a template or a default.
func TestGolden(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario, func(t *testing.T) {
			manifests, err := render(t, "--values", values(scenario))
			if err != nil {
				t.Fatal(err)
			}
			got := withoutCRD(manifests)
			golden := filepath.Join("testdata", scenario+".golden.yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the manifests differ from %s; to accept them: go test ./hack/chart -update\n%s",
					golden, firstDifference(string(want), got))
			}
		})
	}
}

// withoutCRD removes the CRD, which is a copy of a generated file.
func withoutCRD(manifests string) string {
	var kept []string
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		if !strings.Contains(document, "\nkind: CustomResourceDefinition\n") {
			kept = append(kept, strings.TrimSpace(document))
		}
	}
	return strings.Join(kept, "\n---\n") + "\n"
}

func firstDifference(want, got string) string {
	wanted, lines := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i, line := range lines {
		if i >= len(wanted) || line != wanted[i] {
			return "from this line on:\n" + strings.Join(lines[max(0, i-5):min(len(lines), i+10)], "\n")
		}
	}
	return "the end is missing"
}
