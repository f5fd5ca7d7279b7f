package chart

import (
	"strings"
	"testing"
)

// TestValuesAreChecked: a typo is an error, not a default.
func TestValuesAreChecked(t *testing.T) {
	for value, complaint := range map[string]string{
		"replica=2":                          "replica",
		"image.repository=x":                 "repository",
		"metrics.serviceMonitor.enable=true": "enable",
		"crds.instal=false":                  "instal",
		"replicas=two":                       "integer",
		"replicas=-1":                        "minimum",
		"watchNamespaces=team-a":             "array",
		"watchNamespaces={Team_A}":           "pattern",
		"image.tag=a b":                      "pattern",
		"image.pullPolicy=Sometimes":         "one of",
		"pollInterval=5":                     "pollInterval",
		"workers.logLevel=2":                 "one of",
		"log.format=xml":                     "one of",
		"metrics.port=443":                   "minimum",
		"kafka.allowedBrokers={a b}":         "pattern",
		"kafka.brokers={a}":                  "brokers",
		"extraArgs={leader-elect}":           "pattern",
	} {
		t.Run(value, func(t *testing.T) {
			_, err := render(t, "--set", value)
			if err == nil {
				t.Fatal("it is taken")
			}
			if !strings.Contains(err.Error(), complaint) {
				t.Errorf("the error does not say %q: %v", complaint, err)
			}
		})
	}
}

// TestPodMonitorNeedsToken: nobody reads secure metrics without one.
func TestPodMonitorNeedsToken(t *testing.T) {
	_, err := render(t, "--set", "metrics.podMonitor.enabled=true")
	if err == nil || !strings.Contains(err.Error(), "tokenSecret.name") {
		t.Errorf("got %v, want an error that names metrics.podMonitor.tokenSecret.name", err)
	}
	if _, err := render(t, "--set", "metrics.podMonitor.enabled=true,metrics.secure=false"); err != nil {
		t.Errorf("metrics that anyone may read need no token: %v", err)
	}
}

// TestMonitorsNeedTheirCRD: without the Prometheus operator the chart installs,
// and says what is missing.
func TestMonitorsNeedTheirCRD(t *testing.T) {
	out, err := helm(t, nil, "install", release, chart, "--namespace", namespace, "--dry-run=client",
		"--set", "metrics.serviceMonitor.enabled=true")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "kind: ServiceMonitor") {
		t.Error("there is a ServiceMonitor")
	}
	if !strings.Contains(out, "NOTE: there is no monitor") {
		t.Error("the notes don't say that there is no monitor")
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 53) // the longest name of a release
	for name, want := range map[string]string{
		"millrace": "millrace-operator",
		"streams":  "streams-millrace-operator",
		long:       long[:41] + "-operator",
	} {
		manifests, err := helm(t, nil, "template", name, chart, "--show-only", "templates/deployment.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := objects(t, manifests)[0].GetName(); got != want {
			t.Errorf("the release %s has the Deployment %s, want %s", name, got, want)
		}
	}
}
