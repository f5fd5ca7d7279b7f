package resources

import (
	"strings"
	"testing"
)

// TestAmountsThatAnAPIServerRefuses: the error names the field where the amount is set, in the
// spec of the sidecar or in the template. A request in one place is compared with a limit in
// the other.
func TestAmountsThatAnAPIServerRefuses(t *testing.T) {
	const (
		spec     = "spec.processor.sidecar.resources."
		template = "spec.template.spec.initContainers[0].resources."
	)
	processor := func(resources string) string {
		return "{initContainers: [{name: processor, resources: {" + resources + "}}]}"
	}
	for _, c := range []struct{ sidecar, template, want string }{
		{"requests: {memory: 2Gi}, limits: {memory: 1Gi}", "{}", spec + "requests.memory: 2Gi is above the limit of 1Gi: lower it, or raise the limit"},
		{"requests: {cpu: 3}, limits: {cpu: 2500m}", "{}", spec + "requests.cpu: 3 is above the limit of 2500m"},
		{"requests: {cpu: 3}", processor("limits: {cpu: 2}"), spec + "requests.cpu: 3 is above the limit of 2"},
		{"limits: {cpu: 2}", processor("requests: {cpu: 3}"), template + "requests.cpu: 3 is above the limit of 2"},
		{"limits: {cpu: -1}", "{}", spec + "limits.cpu: -1 is below 0: write a positive amount"},
		{"requests: {cpus: 1}", "{}", spec + "requests: cpus: a container has no such resource: write cpu, memory, ephemeral-storage, or a name with a domain"},
		{"requests: {nvidia.com/gpu: 1}", "{}", spec + "requests: nvidia.com/gpu: it needs a limit of the same amount: set limits, too"},
		{"requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 2}", "{}", spec + "requests: nvidia.com/gpu: 1 is not the limit of 2: write the same amount"},
		{"limits: {nvidia.com/gpu: 500m}", "{}", spec + "limits: nvidia.com/gpu: 500m is not a whole number: write one"},
		{"", "{containers: [{name: worker, resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}]}", "spec.template.spec.containers[0].resources.requests.memory: 2Gi is above the limit of 1Gi"},

		{"requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {cpu: 1, memory: 2Gi}", "{}", ""},
		{"requests: {cpu: 3}, limits: {cpu: 2}", processor("requests: {cpu: 2}"), ""},
		{"requests: {cpu: 3}, limits: {cpu: 2}", processor("limits: {cpu: null}"), ""},
		{"limits: {nvidia.com/gpu: 1, hugepages-2Mi: 4Mi, memory: 1Gi}", "{}", ""},
		{"requests: {kubernetes.io/batch-cpu: 500m, kubernetes.io/batch-memory: 1Gi}, limits: {kubernetes.io/batch-memory: 2Gi}", "{}", ""},
		{"requests: {cpu: 0}, limits: {nvidia.com/gpu: 1}", processor("requests: {nvidia.com/gpu: 1}"), ""},
	} {
		manifest := strings.Replace(least, "{cel: {}}", "{cel: null, sidecar: {image: a, resources: {"+c.sidecar+"}}}", 1)
		err := CheckTemplate(decode(t, manifest+"  template: {spec: "+c.template+"}"))
		if got := messageOf(err); c.want == "" && err != nil || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s and %s\ngive %q, want %q", c.sidecar, c.template, got, c.want)
		}
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
