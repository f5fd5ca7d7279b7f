package chart

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// TestValuesAreChecked checks that a typo is an error and does not result in a default.
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
		"image.digests.operator=sha256:0123": "pattern",
		"image.digests.operater=":            "operater",
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
				t.Fatal("the chart accepts the value")
			}
			if !strings.Contains(err.Error(), complaint) {
				t.Errorf("the error does not say %q: %v", complaint, err)
			}
		})
	}
}

// TestPodMonitorNeedsToken checks that a PodMonitor of secure metrics needs a token.
func TestPodMonitorNeedsToken(t *testing.T) {
	_, err := render(t, "--set", "metrics.podMonitor.enabled=true")
	if err == nil || !strings.Contains(err.Error(), "tokenSecret.name") {
		t.Errorf("got %v, want an error that names metrics.podMonitor.tokenSecret.name", err)
	}
	if _, err := render(t, "--set", "metrics.podMonitor.enabled=true,metrics.secure=false"); err != nil {
		t.Errorf("metrics without authentication need no token: %v", err)
	}
}

// TestMonitorsNeedTheirCRD checks that the chart can be installed without the Prometheus operator,
// and that the notes name the missing kinds.
func TestMonitorsNeedTheirCRD(t *testing.T) {
	out, err := helm(t, nil, "install", release, chart, "--namespace", namespace, "--dry-run=client",
		"--set", "metrics.serviceMonitor.enabled=true")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "kind: ServiceMonitor") {
		t.Error("the chart has a ServiceMonitor without its CRD")
	}
	if !strings.Contains(out, "NOTE: the release has no ServiceMonitor") {
		t.Error("the notes don't say that the release has no ServiceMonitor")
	}
}

// TestImages checks images with a tag, with a digest, and with both.
func TestImages(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for values, want := range map[string][2]string{
		"image.registry=r.example/m/,image.tag=1.2":                        {"r.example/m/operator:1.2", "r.example/m/worker:1.2"},
		"image.digests.worker=" + digest:                                   {"ghcr.io/millrace-dev/operator:0.1.0", "ghcr.io/millrace-dev/worker@" + digest},
		"image.tag=1.2,image.operator=op,image.digests.operator=" + digest: {"ghcr.io/millrace-dev/op:1.2@" + digest, "ghcr.io/millrace-dev/worker:1.2"},
	} {
		manifests, err := render(t, "--set", values)
		if err != nil {
			t.Fatal(err)
		}
		container := find[appsv1.Deployment](t, objects(t, manifests), "Deployment", "millrace-operator").Spec.Template.Spec.Containers[0]
		if container.Image != want[0] || !slices.Contains(container.Args, "--worker-image="+want[1]) {
			t.Errorf("%s gives %s and %v, want %v", values, container.Image, container.Args, want)
		}
		if check := find[corev1.Pod](t, objects(t, manifests), "Pod", "millrace-operator-check"); check.Spec.Containers[0].Image != want[0] {
			t.Errorf("with %s, helm test runs %s", values, check.Spec.Containers[0].Image)
		}
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
