package resources

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// besideWorker returns the container of the least StreamProcessor with a sidecar, and its pod.
func besideWorker(t *testing.T, fields, template string) (corev1.Container, corev1.PodSpec) {
	t.Helper()
	manifest := strings.Replace(least, "{cel: {}}", "{cel: null, sidecar: {image: a"+fields+"}}", 1)
	spec := workload(t, decode(t, manifest+"  template: {spec: "+template+"}")).Spec.Template.Spec
	return processorOf(&spec), spec
}

func variable(c *corev1.Container, name string) string {
	for _, v := range c.Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// TestTheProcessorMeetsTheWorker: both mount the socket's volume, and the processor's container
// lives as long as the worker's and longer.
func TestTheProcessorMeetsTheWorker(t *testing.T) {
	c, pod := besideWorker(t, "", "{}")
	if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways || c.Image != "a" {
		t.Errorf("the container is %+v", c)
	}
	for _, container := range []corev1.Container{c, workerOf(&pod)} {
		found := false
		for _, m := range container.VolumeMounts {
			found = found || m.Name == socketVolume && strings.HasPrefix(variable(&c, "MILLRACE_SOCKET"), m.MountPath+"/")
		}
		if !found {
			t.Errorf("%s does not mount the socket: %+v", container.Name, container.VolumeMounts)
		}
	}
	if s := c.SecurityContext; !*s.RunAsNonRoot || !*s.ReadOnlyRootFilesystem {
		t.Errorf("the security context is %+v", s)
	}
}

// TestProcesses: the number follows the CPU of the processor's container, and the worker has
// two calls for each.
func TestProcesses(t *testing.T) {
	limit := func(cpu string) string {
		return "{initContainers: [{name: processor, resources: {limits: {cpu: " + cpu + "}}}]}"
	}
	for _, c := range []struct{ fields, template, want string }{
		{"", "{}", "1"},
		{"", limit("500m"), "1"},
		{"", limit("2"), "2"},
		{"", limit("2500m"), "3"},
		{"", limit("9999"), "256"},
		{", processes: 7", limit("2"), "7"},
		{", resources: {limits: {cpu: 3}}", "{}", "3"},
		{", resources: {limits: {cpu: 3}}", limit("2"), "2"},
		{", resources: {limits: {cpu: 3}}", limit("null"), "1"},
		{", resources: {limits: {cpu: 3}}", "{initContainers: [{name: processor, resources: {limits: {memory: 1Gi}}}]}", "3"},
	} {
		container, _ := besideWorker(t, c.fields, c.template)
		if got := variable(&container, "MILLRACE_PROCESSES"); got != c.want {
			t.Errorf("%s, %s: %s processes, want %s", c.fields, c.template, got, c.want)
		}
	}
	manifest := strings.Replace(least, "{cel: {}}", "{cel: null, sidecar: {image: a, processes: 3}}", 1)
	if got := workerConfig(t, decode(t, manifest)).Concurrency; got != 6 {
		t.Errorf("the worker's concurrency is %d, want 6", got)
	}
	if got := workerConfig(t, decode(t, manifest+"  concurrency: 4")).Concurrency; got != 4 {
		t.Errorf("the worker's concurrency is %d, want that of the manifest", got)
	}
}

// TestTheProcessorsContainerIsSet: the spec sets its variables, resources and ports, and the
// template's win, each for itself.
func TestTheProcessorsContainerIsSet(t *testing.T) {
	const fields = `, env: [{name: A, value: a}, {name: B, value: b}, {name: C, valueFrom: {secretKeyRef: {name: s, key: k}}}],
		resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 2Gi}},
		ports: [{name: http, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}, {name: dns-tcp, containerPort: 53}]`
	c, _ := besideWorker(t, fields, "{}")
	if variable(&c, "A") != "a" || len(c.Env) != 5 || c.Env[4].ValueFrom.SecretKeyRef.Key != "k" || len(c.Ports) != 3 || c.Ports[1].Name != "dns" ||
		c.Resources.Requests.Cpu().String() != "1" || c.Resources.Limits.Memory().String() != "2Gi" {
		t.Errorf("the container is %+v", c)
	}
	c, _ = besideWorker(t, fields, `{initContainers: [{name: processor, env: [{name: C, value: c}, {name: B, $patch: delete}, {name: D, value: d}],
		resources: {requests: {cpu: 2}}, ports: [{name: own-dns, containerPort: 53}, {name: other, containerPort: 81}]}]}`)
	if variable(&c, "A") != "a" || variable(&c, "B") != "" || variable(&c, "C") != "c" || variable(&c, "D") != "d" || len(c.Env) != 5 {
		t.Errorf("the variables are %+v", c.Env)
	}
	for i := range c.Env {
		if c.Env[i].ValueFrom != nil {
			t.Errorf("the variable %+v has a value and a reference", c.Env[i])
		}
	}
	if r := c.Resources; r.Requests.Cpu().String() != "2" || r.Requests.Memory().String() != "1Gi" || r.Limits.Memory().String() != "2Gi" {
		t.Errorf("the resources are %+v", r)
	}
	var ports []string
	for _, p := range c.Ports {
		ports = append(ports, p.Name)
	}
	slices.Sort(ports)
	if got := strings.Join(ports, " "); got != "http other own-dns" {
		t.Errorf("the ports are %s", got)
	}
}

// TestTheSidecarsFieldsAreChecked: so that a manifest that no API server has seen gets the same
// refusals.
func TestTheSidecarsFieldsAreChecked(t *testing.T) {
	for fields, want := range map[string]string{
		", env: [{name: MILLRACE_SOCKET, value: a}]":                            "spec.processor.sidecar.env: MILLRACE_SOCKET: variables that begin with MILLRACE_",
		", ports: [{containerPort: 81}, {containerPort: 8080}]":                 "spec.processor.sidecar.ports[1]: port 8080 and the name \"metrics\" are the worker's",
		", ports: [{name: metrics, containerPort: 81}]":                         "spec.processor.sidecar.ports[0]: port 8080 and the name \"metrics\" are the worker's",
		", ports: [{name: Http, containerPort: 81}]":                            "spec.processor.sidecar.ports[0].name: \"Http\": must contain only",
		", ports: [{containerPort: 0}]":                                         "spec.processor.sidecar.ports[0].containerPort: 0 is no port",
		", ports: [{containerPort: 81}, {containerPort: 81, protocol: TCP}]":    "spec.processor.sidecar.ports[1]: port 81 is there twice",
		", ports: [{name: a, containerPort: 81}, {name: a, containerPort: 82}]": "spec.processor.sidecar.ports[1].name: two ports have the name",
		", env: [{name: A}, {name: A}]":                                         "spec.processor.sidecar.env: A is there twice",
		", ports: [{name: http, containerPort: 81}], env: [{name: A}]":          "",
	} {
		manifest := strings.Replace(least, "{cel: {}}", "{cel: null, sidecar: {image: a"+fields+"}}", 1)
		if err := CheckForCluster(decode(t, manifest)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", fields, err, want)
		}
	}
}

// TestTheProcessorsContainerIsChecked: a template may add to it, and not take from it.
func TestTheProcessorsContainerIsChecked(t *testing.T) {
	manifest := strings.Replace(least, "{cel: {}}", "{cel: null, sidecar: {image: a}}", 1)
	for fields, want := range map[string]string{
		"image: b":            "spec.template.spec.initContainers[0].image: it is set elsewhere: write it into spec.processor.sidecar.image",
		"command: [b]":        "initContainers[0].command: it is set elsewhere",
		"args: [b]":           "initContainers[0].args: it is set elsewhere",
		"restartPolicy: null": "initContainers[0].restartPolicy: the container runs beside the worker",
		"env: [{name: MILLRACE_SOCKET, value: a}]":                   "initContainers[0].env: MILLRACE_SOCKET",
		"env: [{$patch: replace}, {name: A, value: a}]":              "initContainers[0].env: MILLRACE_SOCKET is the operator's own",
		"ports: [{containerPort: 8080}]":                             "initContainers[0].ports[0]: port 8080 and the name",
		"ports: [{containerPort: 81, name: metrics}]":                "initContainers[0].ports[0]: port 8080 and the name",
		"volumeMounts: [{mountPath: /run/millrace, $patch: delete}]": "initContainers[0].volumeMounts: the mount of /run/millrace",
		"volumeMounts: [{name: millrace-state, mountPath: /run}]":    "initContainers[0].volumeMounts: /run would hide the socket",
		"$patch: delete": "spec.template.spec.initContainers: the container processor can't be removed",
	} {
		if err := CheckTemplate(decode(t, manifest+"  template: {spec: {initContainers: [{name: processor, "+fields+"}]}}")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %s", fields, err, want)
		}
	}
	c, _ := besideWorker(t, "", "{initContainers: [{name: first, image: b}, {name: processor, env: [{name: A, value: b}]}]}")
	if variable(&c, "A") != "b" || variable(&c, "MILLRACE_PROCESSES") != "1" {
		t.Errorf("the variables are %+v", c.Env)
	}
	if err := CheckTemplate(decode(t, least+"  template: {spec: {initContainers: [{name: processor, image: b}]}}")); err != nil {
		t.Errorf("a container of this name without a sidecar: %v", err)
	}
}

// TestTheAdapterRunsTheProgram: it comes from the worker's image, and is where the processor's
// container runs it before that starts.
func TestTheAdapterRunsTheProgram(t *testing.T) {
	const fields = ", adapter: lines, command: [jq, -c], args: [., file]"
	c, pod := besideWorker(t, fields, "{initContainers: [{name: first, image: b}]}")
	copies := pod.InitContainers[slices.IndexFunc(pod.InitContainers, isAdapter)]
	program := copies.Args[1]
	if got, want := strings.Join(append(c.Command, c.Args...), " "), program+" lines -- jq -c . file"; got != want {
		t.Errorf("the container runs %q, want %q", got, want)
	}
	if copies.Image != workerOf(&pod).Image || copies.RestartPolicy != nil || copies.Args[0] != "install" || copies.Resources.Requests == nil {
		t.Errorf("the first container is %+v", copies)
	}
	volume := ""
	for _, m := range c.VolumeMounts {
		if strings.HasPrefix(program, m.MountPath+"/") && m.ReadOnly {
			volume = m.Name
		}
	}
	if m := copies.VolumeMounts; len(m) != 1 || m[0].Name != volume || !strings.HasPrefix(program, m[0].MountPath+"/") {
		t.Errorf("the program is copied to %+v, and run from the volume %q", m, volume)
	}
	c, _ = besideWorker(t, fields, "{initContainers: [{name: millrace-adapter, resources: {limits: {memory: 64Mi}}}]}")
	if got := strings.Join(c.Command, " "); got != program+" lines -- jq -c" {
		t.Errorf("with resources for the adapter's container, the command is %q", got)
	}
}

// TestTheAdaptersContainerIsChecked: without it, or with another, the program could not start.
func TestTheAdaptersContainerIsChecked(t *testing.T) {
	manifest := strings.Replace(least, "{cel: {}}", "{cel: null, sidecar: {image: a, adapter: lines, command: [jq]}}", 1)
	for fields, want := range map[string]string{
		"image: b":              "spec.template.spec.initContainers[0]: the container is the operator's own",
		"args: [b]":             "spec.template.spec.initContainers[0]: the container is the operator's own",
		"restartPolicy: Always": "spec.template.spec.initContainers[0]: the container is the operator's own",
		"volumeMounts: [{mountPath: /run/millrace-adapter, $patch: delete}]": "spec.template.spec.initContainers[0]: the container is the operator's own",
		"$patch: delete": "the container millrace-adapter brings the adapter to the container processor: keep it",
	} {
		if err := CheckTemplate(decode(t, manifest+"  template: {spec: {initContainers: [{name: millrace-adapter, "+fields+"}]}}")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %s", fields, err, want)
		}
	}
	moved := manifest + "  template: {spec: {initContainers: [{name: processor}, {name: millrace-adapter}]}}"
	if err := CheckTemplate(decode(t, moved)); err == nil || !strings.Contains(err.Error(), "keep it, and in front of that") {
		t.Errorf("behind the processor: %v", err)
	}
	unknown := strings.Replace(manifest, ", command: [jq]", "", 1)
	if err := CheckForCluster(decode(t, unknown)); err == nil || !strings.Contains(err.Error(), "spec.processor.sidecar.command: an adapter starts the program itself") {
		t.Errorf("without a command: %v", err)
	}
	misspelled := strings.Replace(manifest, "adapter: lines", "adapter: Lines", 1)
	if err := CheckForCluster(decode(t, misspelled)); err == nil || !strings.Contains(err.Error(), `spec.processor.sidecar.adapter: there is no adapter "Lines": write lines`) {
		t.Errorf("with another adapter: %v", err)
	}
}
