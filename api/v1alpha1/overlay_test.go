package v1alpha1

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

func template(spec string) *PodTemplateSpec {
	return &PodTemplateSpec{Spec: &runtime.RawExtension{Raw: []byte(spec)}}
}

// TestTemplateIsDecodedStrictly checks the errors about a template. The API server does not
// check it, because the CRD has no schema for it.
func TestTemplateIsDecodedStrictly(t *testing.T) {
	for spec, want := range map[string]string{
		"{containers: [{name: worker, imge: a}]}":                                       `unknown field "spec.template.spec.containers[0].imge"`,
		"{containers: [{name: a}, {name: worker, securityContext: {runAsRoot: true}}]}": `"spec.template.spec.containers[1].securityContext.runAsRoot"`,
		"{Containers: []}":             `"spec.template.spec.Containers"`,
		"{nodeSelector: fast}":         "spec.template.spec.nodeSelector: \"fast\" is not of the right type: write an object",
		"{containers: {name: worker}}": "spec.template.spec.containers: {\"name\":\"worker\"} is not of the right type: write a list",
		"{containers: [{name: worker, env: [{name: A, value: 1}]}]}": "spec.template.spec.containers[0].env[0].value: 1 is not of the right type: write text",
		"{hostNetwork: 'yes'}":                                                                                          "spec.template.spec.hostNetwork: ",
		"{containers: [{image: a}, {image: b}]}":                                                                        "spec.template.spec.containers[1].name: it is not set",
		"{initContainers: [null]}":                                                                                      "spec.template.spec.initContainers[0].name: it is not set",
		"{containers: [{name: a}, {name: a}]}":                                                                          "spec.template.spec.containers[1].name: a is there twice",
		"{volumes: [{emptyDir: {}}]}":                                                                                   "spec.template.spec.volumes[0].name: it is not set",
		"{containers: [{name: worker, volumeMounts: [{name: a}]}]}":                                                     "spec.template.spec.containers[0].volumeMounts[0].mountPath: it is not set",
		"{containers: [{name: worker, env: [{name: A}, {name: A}]}]}":                                                   "spec.template.spec.containers[0].env[1].name: A is there twice",
		"{containers: [{name: proxy, env: [{name: A}, {name: A}]}]}":                                                    "spec.template.spec.containers[0].env[1].name: A is there twice",
		"{initContainers: [{name: a, ports: [{containerPort: 53}, {containerPort: 53}]}]}":                              "spec.template.spec.initContainers[0].ports[1].containerPort: 53 is there twice",
		"{containers: [{name: worker, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53}]}]}":              "spec.template.spec.containers[0].ports[1].containerPort: 53 is there twice",
		"{topologySpreadConstraints: [{topologyKey: a, whenUnsatisfiable: b}, {topologyKey: a, whenUnsatisfiable: b}]}": "spec.template.spec.topologySpreadConstraints[1].topologyKey: a is there twice",
		"{containers: [{name: worker, resources: {limits: {cpu: '1e-999999999'}}}]}":                                    "spec.template.spec.containers[0].resources.limits.cpu: the exponent",
		"{volumes: [{name: a, emptyDir: {sizeLimit: '1e-2147483647'}}]}":                                                "spec.template.spec.volumes[0].emptyDir.sizeLimit: the exponent",
		"{containers: [{name: worker, resources: {limits: {cpu: a lot}}}]}":                                             "spec.template.spec.containers[0].resources.limits.cpu: ",
		"{securityContext: {$patch: keep}}":                                                                             "spec.template.spec.securityContext.$patch: it must be replace or delete",
		"{$setElementOrder/containers: [{name: worker}]}":                                                               `unknown field "spec.template.spec.$setElementOrder/containers"`,
		"3": "spec.template.spec: it must be an object",
	} {
		_, err := Decode([]byte(least + "  template: {spec: " + spec + "}"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want an error with %s", spec, err, want)
		}
	}
}

// TestTemplateThatCanBeMerged checks templates that Decode has to accept.
func TestTemplateThatCanBeMerged(t *testing.T) {
	for _, spec := range []string{
		"{}", "null", "{containers: null}", "{containers: []}",
		"{topologySpreadConstraints: [{topologyKey: a, whenUnsatisfiable: DoNotSchedule}, {topologyKey: a, whenUnsatisfiable: ScheduleAnyway}]}",
		"{containers: [{name: dns, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}]}]}",
		"{tolerations: [{key: a}, {key: a}]}",
		"{volumes: [{$patch: replace}, {name: a, emptyDir: {}}], securityContext: {$patch: replace}}",
		"{containers: [{name: worker, resources: {limits: {cpu: 2, memory: 2e9}}, env: [{name: A, $patch: delete}]}]}",
	} {
		sp, err := Decode([]byte(least + "  template: {spec: " + spec + "}"))
		if err != nil {
			t.Errorf("%s: %v", spec, err)
		} else if pod, err := sp.Spec.Template.PodSpec(); err != nil || pod == nil {
			t.Errorf("%s: %+v, %v", spec, pod, err)
		}
	}
}

// TestAllMistakesOfATemplateAreTold checks that a user sees all mistakes at once.
func TestAllMistakesOfATemplateAreTold(t *testing.T) {
	_, err := template(`{"hostNetwrok": true, "containers": [{"name": "worker", "imge": "a"}, {"image": "b"}]}`).PodSpec()
	for _, want := range []string{"hostNetwrok", "containers[0].imge", "containers[1].name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
