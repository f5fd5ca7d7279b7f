package chart

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// alertsOf matches the names of the alerts.
var alertsOf = regexp.MustCompile(`(?m)^ *- alert: (\w+)$`)

// TestAlertsNameMetrics checks that the metrics of the alerts exist. An alert on an unknown metric
// never fires.
func TestAlertsNameMetrics(t *testing.T) {
	names := metric.FindAllString(string(read(t, "config/prometheus/alerts.yaml")), -1)
	if len(names) == 0 {
		t.Error("no alert uses a metric of Millrace")
	}
	served := served(t)
	for _, name := range names {
		if !served[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("no program serves the metric %s", name)
		}
	}
}

// metric matches the names of Millrace's metrics.
var metric = regexp.MustCompile(`\bmillrace_[a-z_]+\b`)

// served returns the names of the metrics that the programs serve.
func served(t *testing.T) map[string]bool {
	t.Helper()
	workers, err := filepath.Glob(root + "/worker/internal/telemetry/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	perProcessor := regexp.MustCompile(`processorDesc\("([a-z_]+)"`)
	for _, file := range append(workers, root+"/controllers/metrics.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metric.FindAllString(string(source), -1) {
			found[name] = true
		}
		for _, name := range perProcessor.FindAllStringSubmatch(string(source), -1) {
			found["millrace_streamprocessor_"+name[1]] = true
		}
	}
	return found
}

// promtool runs promtool in a directory. If promtool is missing, it skips the test, or fails it in
// continuous integration.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	program, err := filepath.Abs(root + "/bin/promtool")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(t, "no promtool: run make bin/promtool")
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestAlerts checks that the alerts of the chart fire when they should, and only then.
func TestAlerts(t *testing.T) {
	var rules struct {
		Spec any `json:"spec"`
	}
	for _, object := range rendered(t, "everything") {
		if object.GetKind() == "PrometheusRule" {
			rules.Spec = object.Object["spec"]
		}
	}
	if rules.Spec == nil {
		t.Fatal("the chart has no PrometheusRule")
	}
	content, err := yaml.Marshal(rules.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var original struct {
		Spec any `json:"spec"`
	}
	if err := yaml.Unmarshal(read(t, "config/prometheus/alerts.yaml"), &original); err != nil {
		t.Fatal(err)
	}
	if want := marshal(t, original.Spec); want != string(content) {
		t.Errorf("the chart's alerts are not those of config/prometheus: %s", firstDifference(want, string(content)))
	}
	tests := read(t, "config/prometheus/alerts.test.yaml")
	for _, alert := range alertsOf.FindAllSubmatch(read(t, "config/prometheus/alerts.yaml"), -1) {
		if !bytes.Contains(tests, alert[1]) {
			t.Errorf("config/prometheus/alerts.test.yaml has no test of %s", alert[1])
		}
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"rules.yaml": content, "tests.yaml": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	promtool(t, dir, "check", "rules", "--lint-fatal", "rules.yaml")
	promtool(t, dir, "test", "rules", "tests.yaml")
}
