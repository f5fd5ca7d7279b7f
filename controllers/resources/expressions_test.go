package resources

import (
	"reflect"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// made returns the Deployment, the ConfigMap with the file and the one with the
// expressions, which is nil if there is none.
func made(t *testing.T, sp *v1alpha1.StreamProcessor, in Inputs) (d *appsv1.Deployment, file, expressions *corev1.ConfigMap) {
	t.Helper()
	objects, err := Objects(sp, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		switch o := o.(type) {
		case *appsv1.Deployment:
			d = o
		case *corev1.ConfigMap:
			if HoldsExpressions(o) {
				expressions = o
			} else {
				file = o
			}
		}
	}
	return d, file, expressions
}

// TestExpressionsLeaveThePodsAsTheyAre: changed expressions change the content of their
// ConfigMap only. Workers can read it, and call it by the same version.
func TestExpressionsLeaveThePodsAsTheyAre(t *testing.T) {
	sp := read(t, "minimal.yaml")
	before, file, first := made(t, sp, Inputs{})
	sp.Spec.Processor.CEL = &v1alpha1.CELSpec{Filter: "true", Key: "topic", Value: "json", Headers: map[string]string{"a": "b"}, Topic: `"x"`}
	after, sameFile, second := made(t, sp, Inputs{})
	if !reflect.DeepEqual(before.Spec, after.Spec) || !reflect.DeepEqual(file, sameFile) {
		t.Errorf("the pods differ: %+v, %+v", after.Spec, sameFile)
	}
	if first.Name != second.Name || VersionIn(first) == VersionIn(second) || second.Immutable != nil {
		t.Errorf("the ConfigMaps are %+v and %+v", first, second)
	}
	if v := ExpressionsVersion(sp, nil); v != VersionIn(second) || v != config.ExpressionsVersion([]byte(second.Data[expressionsFile])) {
		t.Errorf("the version is %s, in the ConfigMap %s", v, VersionIn(second))
	}
	parsed, err := config.ParseExpressions([]byte(second.Data[expressionsFile]))
	if err != nil || !reflect.DeepEqual(parsed, Expressions(sp.Spec.Processor)) {
		t.Errorf("a worker reads %+v (%v)", parsed, err)
	}
}

// TestExpressionsThatComeBack: they are another version, since pods may still report the
// first one. Another look changes nothing.
func TestExpressionsThatComeBack(t *testing.T) {
	sp := read(t, "minimal.yaml")
	versions := map[string]string{}
	var live *corev1.ConfigMap
	for i, filter := range []string{"true", "false", "true", "false", "true"} {
		sp.Spec.Processor.CEL = &v1alpha1.CELSpec{Filter: filter, Headers: map[string]string{"<<": "key"}}
		version := ExpressionsVersion(sp, live)
		if before := versions[version]; before != "" {
			t.Errorf("change %d to %s has the version of %s", i, filter, before)
		}
		versions[version] = filter
		for range 2 {
			_, _, made := made(t, sp, Inputs{ExpressionsChange: ExpressionsChange(sp, live)})
			if live = made; VersionIn(live) != version || ExpressionsVersion(sp, live) != version {
				t.Errorf("change %d has version %s, and %s in the ConfigMap", i, version, VersionIn(live))
			}
		}
		parsed, err := config.ParseExpressions([]byte(live.Data[expressionsFile]))
		if err != nil || !reflect.DeepEqual(parsed, Expressions(sp.Spec.Processor)) {
			t.Errorf("a worker reads %+v (%v)", parsed, err)
		}
	}
}

// TestEachTemplateHasItsExpressions: pods of a former configuration, image or template keep
// theirs, since new ones may need what only the new pods have.
func TestEachTemplateHasItsExpressions(t *testing.T) {
	in := Inputs{WorkerImage: "worker:1"}
	_, _, first := made(t, read(t, "minimal.yaml"), in)
	for name, c := range map[string]struct {
		change func(*v1alpha1.StreamProcessor, *Inputs)
		same   bool
	}{
		"a topic":     {func(sp *v1alpha1.StreamProcessor, _ *Inputs) { sp.Spec.Output.Topic = "others" }, false},
		"the image":   {func(sp *v1alpha1.StreamProcessor, _ *Inputs) { sp.Spec.Processor.CEL.Image = "worker:2" }, false},
		"the default": {func(_ *v1alpha1.StreamProcessor, in *Inputs) { in.WorkerImage = "worker:2" }, false},
		"a variable": {func(sp *v1alpha1.StreamProcessor, _ *Inputs) {
			sp.Spec.Template = &v1alpha1.PodTemplateSpec{Spec: &runtime.RawExtension{Raw: []byte(`{"containers": [{"name": "worker", "env": [{"name": "EXPRESSION_KEY_A", "value": "b"}]}]}`)}}
		}, false},
		"the number of pods":     {func(_ *v1alpha1.StreamProcessor, in *Inputs) { in.Replicas, in.CPU, in.Partitions = 3, 100, 9 }, true},
		"a credential's content": {func(_ *v1alpha1.StreamProcessor, in *Inputs) { in.CredentialsHash = "1" }, true},
		"failing pods":           {func(_ *v1alpha1.StreamProcessor, in *Inputs) { in.ReplacedFor = "1" }, true},
	} {
		sp, in := read(t, "minimal.yaml"), in
		c.change(sp, &in)
		if _, _, second := made(t, sp, in); (first.Name == second.Name) != c.same {
			t.Errorf("%s: the ConfigMaps are %s and %s", name, first.Name, second.Name)
		}
	}
}

// TestNamesOfConfigMaps: the pods mount the ConfigMaps that ConfigMapsOf names.
func TestNamesOfConfigMaps(t *testing.T) {
	sp := read(t, "minimal.yaml")
	_, file, first := made(t, sp, Inputs{})
	sp.Spec.Output.Topic = "others"
	d, _, second := made(t, sp, Inputs{})
	if first.Name == second.Name || first.Labels[ConfigLabel] != file.Labels[ConfigLabel] {
		t.Errorf("the ConfigMaps are %s, with label %s, and %s", first.Name, first.Labels[ConfigLabel], second.Name)
	}
	mounted := slices.ContainsFunc(d.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.ConfigMap != nil && v.ConfigMap.Name == second.Name })
	if !mounted {
		t.Errorf("the pods don't mount %s: %+v", second.Name, d.Spec.Template.Spec.Volumes)
	}
	fileName, name, err := ConfigMapsOf(sp, Inputs{})
	if err != nil || name != second.Name || !IsOfConfig(sp, name, second.Labels[ConfigLabel]) || !IsOfConfig(sp, fileName, second.Labels[ConfigLabel]) || IsOfConfig(sp, first.Name, second.Labels[ConfigLabel]) {
		t.Errorf("the names are %s and %s (%v)", fileName, name, err)
	}
}

// TestProgramsHaveNoExpressions: nothing of this is there for a user's program.
func TestProgramsHaveNoExpressions(t *testing.T) {
	sp := read(t, "minimal.yaml")
	sp.Spec.Processor = v1alpha1.ProcessorSpec{Container: &v1alpha1.ContainerSpec{Image: "mine:1"}}
	d, _, expressions := made(t, sp, Inputs{})
	_, name, err := ConfigMapsOf(sp, Inputs{})
	if expressions != nil || ExpressionsVersion(sp, nil) != "" || name != "" || err != nil {
		t.Errorf("there are expressions: %+v, %s, %v", expressions, name, err)
	}
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Name == expressionsVolume {
			t.Error("the pods mount expressions")
		}
	}
}

// TestReplacedFor: the ConfigMap and the pod template note the version for which failing
// pods are replaced.
func TestReplacedFor(t *testing.T) {
	sp := read(t, "minimal.yaml")
	before, _, first := made(t, sp, Inputs{})
	after, _, second := made(t, sp, Inputs{ReplacedFor: "v2"})
	for _, c := range []struct {
		expressions *corev1.ConfigMap
		d           *appsv1.Deployment
		want        string
	}{
		{nil, nil, ""},
		{first, before, ""},
		{second, before, "v2"}, // the operator has ended between the two
		{nil, after, "v2"},     // somebody has deleted the ConfigMap
		{first, after, "v2"},   // or its annotation
	} {
		if got := ReplacedFor(c.expressions, c.d); got != c.want {
			t.Errorf("ReplacedFor(%v, %v) = %q, want %q", c.expressions, c.d, got, c.want)
		}
	}
	if RevisionOf(before).Template == RevisionOf(after).Template {
		t.Error("the pods are not replaced")
	}
}

func TestAskToReload(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	patch := AskToReload(&corev1.Pod{}, "v2", at)["metadata"].(map[string]any)["annotations"].(map[string]any)
	pod := &corev1.Pod{}
	if version, _ := AskedToReload(pod); version != "" {
		t.Errorf("a new pod has version %q", version)
	}
	pod.Annotations = map[string]string{}
	for name, value := range patch {
		pod.Annotations[name] = value.(string)
	}
	if version, asked := AskedToReload(pod); version != "v2" || !asked.Equal(at) {
		t.Errorf("asked for %s at %v", version, asked)
	}
}
