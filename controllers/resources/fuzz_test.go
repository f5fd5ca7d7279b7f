package resources

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// FuzzTemplate checks that no template makes the operator panic, and that an accepted one
// keeps the settings that a worker needs.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"containers": null}`, `{"containers": [{"$patch": "replace"}]}`,
		`{"containers": [{"name": "worker", "$patch": "delete"}, {"name": "worker"}]}`,
		`{"containers": [{"name": "worker", "ports": [{"containerPort": 8080, "$patch": "replace"}], "env": [{"name": "A", "$patch": "delete"}]}]}`,
		`{"securityContext": {"$patch": "delete"}, "nodeSelector": {"$patch": "replace", "$retainKeys": "a"}}`,
		`{"volumes": [{"name": "millrace-tmp", "$patch": "replace"}, {"name": "a", "emptyDir": {"sizeLimit": 1e3}}]}`,
		`{"containers": [{"name": "worker", "resources": {"limits": {"cpu": 1e99, "memory": "1Ei"}, "claims": null}, "lifecycle": {"preStop": {"sleep": {"seconds": 9223372036854775807}}}}]}`,
		`{"initContainers": [{"name": "a", "securityContext": {"capabilities": null}}], "overhead": {"cpu": "-1u"}, "resources": null}`,
		`{"topologySpreadConstraints": [], "tolerations": [null], "hostAliases": [{"ip": 1}], "terminationGracePeriodSeconds": -9223372036854775808}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		sp := read(t, "minimal.yaml")
		sp.Spec.Template = &v1alpha1.PodTemplateSpec{Spec: &runtime.RawExtension{Raw: raw}}
		template, err := podTemplate(sp, Inputs{WorkerImage: "worker:1"}, "0123")
		if err != nil {
			return
		}
		is, bare := workerOf(&template.Spec), podSpec(sp, Inputs{WorkerImage: "worker:1"}, &template.Spec, "0123").Containers[0]
		if is.Image != bare.Image || !samePorts(bare.Ports, is.Ports) || *template.Spec.TerminationGracePeriodSeconds < 30 {
			t.Errorf("%s is accepted, and gives %+v", raw, template.Spec)
		}
	})
}
