package resources

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// read decodes a manifest of testdata with the metadata that the API server sets.
func read(t *testing.T, name string) *v1alpha1.StreamProcessor {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	sp := &v1alpha1.StreamProcessor{}
	if err := yaml.UnmarshalStrict(content, sp); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	sp.Default()
	sp.UID = "5f8a" // the API server gives one
	return sp
}

// TestObjects compares all objects of a few StreamProcessors with golden files.
func TestObjects(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Inputs
	}{
		{"minimal", Inputs{WorkerImage: "worker:1", Replicas: 1, Partitions: 1}},
		{"sidecar", Inputs{WorkerImage: "worker:1", Replicas: 2, Partitions: 4}},
		{"adapter", Inputs{WorkerImage: "worker:1", Replicas: 1, Partitions: 4}},
		{"everything", Inputs{
			WorkerImage: "worker:1", Replicas: 3, Partitions: 12, CredentialsHash: "0123",
			NetworkPolicy: true, PodMonitor: true,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects, err := Objects(read(t, c.name+".yaml"), c.in)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, c.name+".golden.yaml", objects)
		})
	}
}

func compare(t *testing.T, golden string, objects []Object) {
	t.Helper()
	var got strings.Builder
	for _, o := range objects {
		content, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString("---\n")
		got.WriteString(string(content))
	}
	path := filepath.Join("testdata", golden)
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("%s differs; go test ./controllers/resources -update rewrites it:\n%s", path, got.String())
	}
}

// TestSameInputsGiveTheSameObjects checks that the objects are deterministic, because the
// operator compares their hashes.
func TestSameInputsGiveTheSameObjects(t *testing.T) {
	in := Inputs{WorkerImage: "worker:1", Replicas: 2, Partitions: 4}
	for range 20 {
		a, _ := Objects(read(t, "everything.yaml"), in)
		b, _ := Objects(read(t, "everything.yaml"), in)
		for i := range a {
			x, _ := yaml.Marshal(a[i])
			y, _ := yaml.Marshal(b[i])
			if string(x) != string(y) {
				t.Fatalf("two calls differ:\n%s\n%s", x, y)
			}
		}
	}
}

// workload returns the Deployment of sp.
func workload(t *testing.T, sp *v1alpha1.StreamProcessor) *appsv1.Deployment {
	t.Helper()
	objects, err := Objects(sp, Inputs{WorkerImage: "worker:1", Replicas: 1, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	return objects[len(objects)-1].(*appsv1.Deployment)
}

// TestUsersLabelsDoNotReplaceOurs checks that the operator's labels win, because they select
// the pods.
func TestUsersLabelsDoNotReplaceOurs(t *testing.T) {
	sp := read(t, "minimal.yaml")
	theirs := v1alpha1.Metadata{Labels: map[string]string{InstanceLabel: "other", "team": "a"}}
	sp.Spec.Template, sp.Spec.Deployment = &v1alpha1.PodTemplateSpec{Metadata: theirs}, theirs
	d := workload(t, sp)
	for _, labels := range []map[string]string{d.Labels, d.Spec.Template.Labels} {
		if labels[InstanceLabel] != sp.Name || labels["team"] != "a" {
			t.Errorf("labels %v", labels)
		}
	}
}

// TestRollout checks that a rollout never has more pods than partitions, and has none
// missing if the number of partitions allows it.
func TestRollout(t *testing.T) {
	for _, partitions := range []int32{0, 1, 2, 3, 7, 12, 100} {
		for replicas := int32(0); replicas <= partitions; replicas++ {
			u := rollout(replicas, partitions).RollingUpdate
			surge, missing := u.MaxSurge.IntVal, u.MaxUnavailable.IntVal
			if surge+missing < 1 {
				t.Errorf("%d pods, %d partitions: the strategy allows no step", replicas, partitions)
			}
			if replicas+surge > partitions {
				t.Errorf("%d pods, %d partitions: a surge of %d is too high", replicas, partitions, surge)
			}
			if replicas < partitions && missing > 0 {
				t.Errorf("%d pods, %d partitions: %d may be unavailable, want none", replicas, partitions, missing)
			}
		}
	}
}

// TestGracePeriodCoversTheStop checks that the grace period covers the time that a worker may
// take to stop.
func TestGracePeriodCoversTheStop(t *testing.T) {
	for _, drain := range []time.Duration{time.Second, 20 * time.Second, 45500 * time.Millisecond, time.Hour} {
		sp := read(t, "minimal.yaml")
		sp.Spec.DrainTimeout = &metav1.Duration{Duration: drain}
		grace := time.Duration(*workload(t, sp).Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
		if stop := config.StopTimeout(drain); grace <= stop {
			t.Errorf("drain timeout %v: the pod has %v, the worker may take %v", drain, grace, stop)
		}
	}
}

// TestGroupIDHoldsTheNamespace checks that the default group contains the namespace if there
// is one.
func TestGroupIDHoldsTheNamespace(t *testing.T) {
	sp := read(t, "minimal.yaml")
	sp.Namespace = "shop"
	if got, want := GroupID(sp), "millrace-shop."+sp.Name; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	sp.Namespace = ""
	if got, want := GroupID(sp), "millrace-"+sp.Name; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	sp.Spec.Input.GroupID = new("mine")
	if got := GroupID(sp); got != "mine" {
		t.Errorf("%q", got)
	}
}

// TestObjectsOfAnInvalidSpec checks that the error names the field.
func TestObjectsOfAnInvalidSpec(t *testing.T) {
	sp := read(t, "minimal.yaml")
	sp.Spec.Delivery = "AtMostOnce"
	_, err := Objects(sp, Inputs{})
	if err == nil || !strings.Contains(err.Error(), "spec.delivery") {
		t.Errorf("error %v; want one that names spec.delivery", err)
	}
}
