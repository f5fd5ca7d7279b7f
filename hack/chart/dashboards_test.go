package chart

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// dashboard is the part of a Grafana dashboard with queries.
type dashboard struct {
	UID    string
	Panels []struct {
		Title, Description, Type string
		Targets                  []struct{ Expr string }
	}
	Templating struct {
		List []struct {
			Name  string
			Query json.RawMessage
		}
	}
}

var dashboards = []string{"streamprocessors", "operator"}

func readDashboard(t *testing.T, name string) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal(read(t, "config/grafana/"+name+".json"), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// foreign are the metrics that libraries serve, in the dashboards.
var foreign = []string{
	"process_cpu_seconds_total", "process_resident_memory_bytes",
	"controller_runtime_reconcile_total", "controller_runtime_reconcile_time_seconds_bucket",
	"controller_runtime_max_concurrent_reconciles", "leader_election_master_status", "workqueue_depth",
}

// selected matches the names of metrics in a query: those before a selector, and those that are
// the argument of a function.
var selected = regexp.MustCompile(`\b([a-z]+(?:_[a-z]+)+)\b(?:\{|\)|\[| =)`)

// TestDashboardsNameMetrics checks that the metrics of the dashboards exist, and that each panel
// says what it shows.
func TestDashboardsNameMetrics(t *testing.T) {
	served := served(t)
	for _, name := range dashboards {
		queries := 0
		for _, panel := range readDashboard(t, name).Panels {
			if panel.Type != "row" && panel.Description == "" {
				t.Errorf("%s: the panel %s has no description", name, panel.Title)
			}
			for _, target := range panel.Targets {
				queries++
				metrics := selected.FindAllStringSubmatch(target.Expr, -1)
				if len(metrics) == 0 {
					t.Errorf("%s: the panel %s has a query without a metric: %s", name, panel.Title, target.Expr)
				}
				for _, metric := range metrics {
					if !served[strings.TrimSuffix(metric[1], "_bucket")] && !slices.Contains(foreign, metric[1]) {
						t.Errorf("%s: the panel %s: no program serves the metric %s", name, panel.Title, metric[1])
					}
				}
			}
		}
		if queries < 10 {
			t.Errorf("%s has %d queries", name, queries)
		}
	}
}

// TestDashboardsNameVariables checks that the variables in the queries are those of the dashboard.
func TestDashboardsNameVariables(t *testing.T) {
	variable := regexp.MustCompile(`\$([a-z]+)`)
	for _, name := range dashboards {
		d := readDashboard(t, name)
		declared := map[string]bool{}
		for _, v := range d.Templating.List {
			declared[v.Name] = true
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				for _, v := range variable.FindAllStringSubmatch(target.Expr, -1) {
					if !declared[v[1]] {
						t.Errorf("%s: the panel %s uses $%s, which is no variable", name, panel.Title, v[1])
					}
				}
			}
		}
	}
}

// TestDashboardsQueries checks the syntax of the queries, as those of rules.
func TestDashboardsQueries(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h")
	var rules []rule
	for _, name := range dashboards {
		for _, panel := range readDashboard(t, name).Panels {
			for _, target := range panel.Targets {
				rules = append(rules, rule{fmt.Sprintf("query:%d", len(rules)), variables.Replace(target.Expr)})
			}
		}
	}
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "queries", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "queries.yaml"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "check", "rules", "queries.yaml")
}

// TestDashboardsInTheChart checks that the chart's ConfigMap has the dashboards, with Grafana's
// label.
func TestDashboardsInTheChart(t *testing.T) {
	manifests, err := render(t, "--set", "grafanaDashboards.enabled=true")
	if err != nil {
		t.Fatal(err)
	}
	found := find[corev1.ConfigMap](t, objects(t, manifests), "ConfigMap", "millrace-operator-dashboards")
	if found.Labels["grafana_dashboard"] != "1" || len(found.Data) != len(dashboards) {
		t.Errorf("the ConfigMap has the labels %v and %d files", found.Labels, len(found.Data))
	}
	for _, name := range dashboards {
		if got := found.Data["millrace-"+name+".json"]; strings.TrimSpace(got) != strings.TrimSpace(string(read(t, "config/grafana/"+name+".json"))) {
			t.Errorf("%s is not the dashboard of config/grafana", name)
		}
	}
}
