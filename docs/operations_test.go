package docs_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOperationsNameEverything: the page for operators has a line for each reason, alert and
// metric, and for no other.
func TestOperationsNameEverything(t *testing.T) {
	page := read(t, "operations.md")
	_, reasons, _ := strings.Cut(read(t, "../controllers/status/conditions.go"), "// Reasons of Ready.")
	reasons, _, _ = strings.Cut(reasons, "// alwaysThere")
	conditions, _, _ := strings.Cut(page, "## Alerts")
	same(t, "reasons", names(reasons, `(?m)^\t[A-Za-z]+ += "([A-Za-z]+)"$`), names(conditions, "(?m)^\\| (?:`[A-Za-z]+` \\| |\\| )?`([A-Za-z]+)` \\| [^`|]"))
	same(t, "alerts", names(read(t, "../config/prometheus/alerts.yaml"), `- alert: ([A-Za-z]+)`), names(page, "(?m)^\\| `(Millrace[A-Za-z]+)`"))
	same(t, "metrics", metrics(t), names(page, "`(millrace_[a-z_]+)`"))
}

// metrics returns the names of all metrics, as the code has them.
func metrics(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../worker/internal/telemetry/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range append(files, "../controllers/metrics.go", "../worker/processors/sidecar/metrics.go") {
		if !strings.HasSuffix(file, "_test.go") {
			found = append(found, names(read(t, file), `"(millrace_[a-z_]+[a-z])"`)...)
		}
	}
	for _, name := range names(read(t, "../controllers/metrics.go"), `processorDesc\("([a-z_]+)"`) {
		found = append(found, "millrace_streamprocessor_"+name)
	}
	slices.Sort(found)
	return found
}

// same compares the names that the code has with those of the page, each once.
func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Compact(slices.Sorted(slices.Values(want))), slices.Compact(slices.Sorted(slices.Values(got)))
	if len(want) == 0 || !slices.Equal(want, got) {
		t.Errorf("%s: operations.md has %q, the code %q", what, got, want)
	}
}
