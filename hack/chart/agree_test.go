package chart

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/controllers/dial"
)

func read(tb testing.TB, file string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

// TestOneVersion checks that the chart's version is also that of the programs and the images.
func TestOneVersion(t *testing.T) {
	var meta struct{ Version, AppVersion string }
	if err := yaml.Unmarshal(read(t, "config/chart/Chart.yaml"), &meta); err != nil {
		t.Fatal(err)
	}
	if meta.Version != meta.AppVersion {
		t.Errorf("the chart has version %s and the app %s, but they are released together", meta.Version, meta.AppVersion)
	}
	images := regexp.MustCompile(`ghcr\.io/millrace-dev/(operator|worker):(\S+)`).
		FindAllSubmatch(read(t, "config/manager/deployment.yaml"), -1)
	if len(images) != 2 {
		t.Fatalf("config/manager/deployment.yaml names %d images, want 2", len(images))
	}
	for _, image := range images {
		if string(image[2]) != meta.AppVersion {
			t.Errorf("config/manager/deployment.yaml has %s, the chart's appVersion is %s", image[0], meta.AppVersion)
		}
	}
}

// TestCopies checks that make generate has been run.
func TestCopies(t *testing.T) {
	for original, file := range map[string]string{
		"config/crd/bases/millrace.dev_streamprocessors.yaml": "config/chart/files/crd.yaml",
		"config/rbac/role.yaml":                               "config/chart/files/role.yaml",
		"config/prometheus/alerts.yaml":                       "config/chart/files/alerts.yaml",
		"config/grafana/streamprocessors.json":                "config/chart/files/grafana/streamprocessors.json",
		"config/grafana/operator.json":                        "config/chart/files/grafana/operator.json",
	} {
		if !bytes.Equal(read(t, original), read(t, file)) {
			t.Errorf("%s is not a copy of %s: run make generate", file, original)
		}
	}
}

// TestSamePermissions checks that the operator has the same permissions however it is installed.
func TestSamePermissions(t *testing.T) {
	kustomized := objects(t, string(read(t, "config/rbac/role.yaml")))
	wanted := find[rbacv1.ClusterRole](t, kustomized, "ClusterRole", "millrace-operator").Rules
	leader := find[rbacv1.Role](t, kustomized, "Role", "millrace-operator").Rules
	all := rendered(t, "default")
	same(t, "cluster-wide", find[rbacv1.ClusterRole](t, all, "ClusterRole", "millrace-operator").Rules, wanted)
	same(t, "the leader's", find[rbacv1.Role](t, all, "Role", "millrace-operator-leader").Rules, leader)
	for _, object := range rendered(t, "namespaced") {
		if object.GetKind() == "Role" && slices.Contains([]string{"team-a", "team-b"}, object.GetNamespace()) {
			role := find[rbacv1.Role](t, objects(t, marshal(t, object)), "Role", "millrace-operator")
			same(t, object.GetNamespace(), role.Rules, wanted)
		}
	}
	for _, role := range []string{"metrics-auth", "metrics-reader"} {
		name := "millrace-operator-" + role
		same(t, role, find[rbacv1.ClusterRole](t, all, "ClusterRole", name).Rules,
			find[rbacv1.ClusterRole](t, objects(t, string(read(t, "config/rbac/metrics.yaml"))), "ClusterRole", name).Rules)
	}
}

func same(tb testing.TB, what string, got, want []rbacv1.PolicyRule) {
	tb.Helper()
	if len(got) == 0 || !apiequality.Semantic.DeepEqual(got, want) {
		tb.Errorf("%s: the chart's rules are\n%v\nand config/rbac has\n%v", what, got, want)
	}
}

func marshal(tb testing.TB, value any) string {
	tb.Helper()
	content, err := yaml.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// TestSamePods checks that config/manager and the chart's defaults run the same pods, except for
// the chart's labels and the flags that the chart sets to their defaults.
func TestSamePods(t *testing.T) {
	kustomized := find[appsv1.Deployment](t, objects(t, string(read(t, "config/manager/deployment.yaml"))), "Deployment", "millrace-operator")
	charted := find[appsv1.Deployment](t, rendered(t, "default"), "Deployment", "millrace-operator")
	for _, d := range []*appsv1.Deployment{&kustomized, &charted} {
		d.Spec.Template.Labels = nil
		d.Spec.Template.Spec.Containers[0].Args, d.Spec.Template.Spec.Containers[0].Env = nil, nil
	}
	if !apiequality.Semantic.DeepEqual(kustomized.Spec, charted.Spec) {
		t.Errorf("config/manager has\n%s\nthe chart\n%s", marshal(t, kustomized.Spec), marshal(t, charted.Spec))
	}
}

// TestDeniedBrokers checks that an operator without the chart denies the same brokers.
func TestDeniedBrokers(t *testing.T) {
	var values struct {
		Kafka struct{ DeniedBrokers []string }
	}
	if err := yaml.Unmarshal(read(t, "config/chart/values.yaml"), &values); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(values.Kafka.DeniedBrokers, dial.DeniedByDefault()) {
		t.Errorf("the chart denies %q, the operator %q", values.Kafka.DeniedBrokers, dial.DeniedByDefault())
	}
}
