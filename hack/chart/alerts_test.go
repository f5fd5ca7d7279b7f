package chart

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestAlertsNameMetrics: an alert on a metric that nobody serves never fires.
func TestAlertsNameMetrics(t *testing.T) {
	files, err := filepath.Glob(root + "/worker/telemetry/*.go")
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	metric := regexp.MustCompile(`\bmillrace_[a-z_]+\b`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metric.FindAllString(string(source), -1) {
			served[name] = true
		}
	}
	names := metric.FindAllString(string(read(t, "config/prometheus/alerts.yaml")), -1)
	if len(names) == 0 {
		t.Error("no alert is on a metric of the workers")
	}
	for _, name := range names {
		if !served[name] {
			t.Errorf("no worker serves %s", name)
		}
	}
}
