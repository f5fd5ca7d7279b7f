package resources

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	sdk "github.com/millrace-dev/millrace/worker"
)

// pod returns the pod of the least StreamProcessor, merged with a template.
func pod(t *testing.T, template string) corev1.PodTemplateSpec {
	t.Helper()
	return workload(t, decode(t, least+"  template: {spec: "+template+"}")).Spec.Template
}

// worker returns the worker's container, merged with a template's part.
func worker(t *testing.T, fields string) corev1.Container {
	t.Helper()
	spec := pod(t, "{containers: [{name: worker, "+fields+"}]}").Spec
	return workerOf(&spec)
}

// TestTemplateIsMerged checks that fields that the template does not set stay unchanged.
func TestTemplateIsMerged(t *testing.T) {
	before := worker(t, "")
	got := worker(t, "env: [{name: A, value: b}], readinessProbe: {periodSeconds: 7}, securityContext: {runAsUser: 7}, volumeMounts: [{name: millrace-tmp, mountPath: /cache}]")
	if p := got.ReadinessProbe; p.PeriodSeconds != 7 || p.HTTPGet.Path != "/readyz" || p.FailureThreshold != before.ReadinessProbe.FailureThreshold {
		t.Errorf("readiness probe %+v", p)
	}
	if s := got.SecurityContext; *s.RunAsUser != 7 || !*s.RunAsNonRoot || !*s.ReadOnlyRootFilesystem || s.Capabilities.Drop[0] != "ALL" {
		t.Errorf("security context %+v", s)
	}
	if n := len(got.VolumeMounts); n != len(before.VolumeMounts)+1 || got.Image != before.Image || len(got.Env) != 1 {
		t.Errorf("container %+v", got)
	}
	spec := pod(t, "{serviceAccountName: a, containers: [{name: proxy, image: p}], topologySpreadConstraints: null, securityContext: {seccompProfile: {$patch: replace, type: Unconfined}}}").Spec
	if spec.ServiceAccountName != "a" || len(spec.Containers) != 2 || spec.TopologySpreadConstraints != nil || !*spec.SecurityContext.RunAsNonRoot || spec.SecurityContext.SeccompProfile.Type != "Unconfined" {
		t.Errorf("pod %+v", spec)
	}
}

// TestDefaultsGiveWay checks that a template replaces defaults, also where a merge of both
// would not be a valid pod.
func TestDefaultsGiveWay(t *testing.T) {
	if got := worker(t, "resources: {requests: {cpu: 1}}").Resources.Requests; len(got) != 1 {
		t.Errorf("requests %v", got)
	}
	if got := worker(t, "startupProbe: {exec: {command: [ready]}}").StartupProbe; got.HTTPGet != nil || got.Exec == nil || got.FailureThreshold == 0 {
		t.Errorf("startup probe %+v", got)
	}
	if got := pod(t, "{topologySpreadConstraints: []}").Spec.TopologySpreadConstraints; len(got) > 0 {
		t.Errorf("constraints %v", got)
	}
	if got := pod(t, "{topologySpreadConstraints: [{topologyKey: zone, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]}").Spec.TopologySpreadConstraints; len(got) != 1 || got[0].TopologyKey != "zone" {
		t.Errorf("constraints %v", got)
	}
	tmp := func(spec corev1.PodSpec) (volumes []corev1.Volume, mounts []corev1.VolumeMount) {
		for _, v := range spec.Volumes {
			if v.Name == tmpVolume || v.Name == "scratch" {
				volumes = append(volumes, v)
			}
		}
		for _, m := range workerOf(&spec).VolumeMounts {
			if strings.TrimSuffix(m.MountPath, "/") == tmpDir {
				mounts = append(mounts, m)
			}
		}
		return volumes, mounts
	}
	volumes, mounts := tmp(pod(t, "{volumes: [{name: scratch, ephemeral: {}}], containers: [{name: worker, volumeMounts: [{name: scratch, mountPath: /tmp/}]}]}").Spec)
	if len(volumes) != 1 || len(mounts) != 1 || mounts[0].Name != "scratch" {
		t.Errorf("volumes %v, mounts %v", volumes, mounts)
	}
	volumes, mounts = tmp(pod(t, "{volumes: [{name: millrace-tmp, persistentVolumeClaim: {claimName: c}}]}").Spec)
	if len(volumes) != 1 || len(mounts) != 1 || volumes[0].EmptyDir != nil || mounts[0].Name != tmpVolume {
		t.Errorf("volumes %v, mounts %v", volumes, mounts)
	}
}

// TestMemoryLimitOfGo checks that GOMEMLIMIT follows the container's limit unless the user
// sets it.
func TestMemoryLimitOfGo(t *testing.T) {
	for fields, want := range map[string]string{
		"": "", "resources: {limits: {cpu: 1}}": "", "resources: {requests: {memory: 1Gi}}": "", "resources: {limits: {memory: 1}}": "",
		"resources: {limits: {memory: 1Gi}}":                                                                   "921MiB",
		"resources: {limits: {memory: 500M}}":                                                                  "429MiB",
		"resources: {limits: {memory: 8Ei}}":                                                                   "7916483719987MiB",
		"resources: {limits: {memory: 1Gi}}, env: [{name: GOMEMLIMIT, value: '1'}]":                            "1",
		"resources: {limits: {memory: 1Gi}}, env: [{name: GOMEMLIMIT, valueFrom: {fieldRef: {fieldPath: a}}}]": "",
	} {
		var got []string
		for _, v := range worker(t, fields).Env {
			got = append(got, v.Value)
		}
		if len(got) > 1 || strings.Join(got, "") != want {
			t.Errorf("%s: GOMEMLIMIT %q, want %q", fields, got, want)
		}
	}
}

// TestSlowStart checks that the startup probe leaves a program minutes to load a model.
func TestSlowStart(t *testing.T) {
	p := worker(t, "").StartupProbe
	if patience := time.Duration(p.PeriodSeconds*p.FailureThreshold) * time.Second; patience < 20*time.Minute || p.PeriodSeconds > 2 {
		t.Errorf("the startup probe allows %v, with a period of %d s", patience, p.PeriodSeconds)
	}
	if p.HTTPGet.Path != worker(t, "").LivenessProbe.HTTPGet.Path {
		t.Errorf("the startup probe asks for %s", p.HTTPGet.Path)
	}
}

// TestPauseBeforeTheStop checks that the pause of a preStop hook is added to the grace
// period.
func TestPauseBeforeTheStop(t *testing.T) {
	before := *pod(t, "{}").Spec.TerminationGracePeriodSeconds
	if got := *pod(t, "{containers: [{name: worker, lifecycle: {preStop: {sleep: {seconds: 7}}}}]}").Spec.TerminationGracePeriodSeconds; got != before+7 {
		t.Errorf("grace period %d s, without the pause %d s", got, before)
	}
}

// TestFurtherContainersAreRestricted checks that further containers are restricted unless they
// ask for more.
func TestFurtherContainersAreRestricted(t *testing.T) {
	spec := pod(t, "{initContainers: [{name: a}, {name: b, securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}}], containers: [{name: c, securityContext: {privileged: true}}, {name: d, securityContext: {allowPrivilegeEscalation: true, capabilities: {drop: []}}}]}").Spec
	for _, c := range spec.InitContainers {
		if s := c.SecurityContext; *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("%s: %+v", c.Name, s)
		}
	}
	if s := spec.Containers[0].SecurityContext; s.AllowPrivilegeEscalation != nil {
		t.Errorf("the API server would refuse %+v", s)
	}
	if s := spec.Containers[1].SecurityContext; !*s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestProgram checks the image, the command and the arguments.
func TestProgram(t *testing.T) {
	for processor, want := range map[string]corev1.Container{
		"{cel: {}}":                                     {Image: "worker:1", Args: []string{"--config", "/etc/millrace/worker.yaml"}},
		"{cel: {image: 'mine@sha256:1'}}":               {Image: "mine@sha256:1", Args: []string{"--config", "/etc/millrace/worker.yaml"}},
		"{cel: null, container: {image: a}}":            {Image: "a"},
		"{cel: null, container: {image: a, args: [b]}}": {Image: "a", Args: []string{"b"}},
		"{cel: null, container: {image: a, command: [c, d], args: [b], imagePullPolicy: Never}}": {
			Image: "a", Command: []string{"c", "d"}, Args: []string{"b"}, ImagePullPolicy: corev1.PullNever,
		},
	} {
		d := workload(t, decode(t, strings.Replace(least, "{cel: {}}", processor, 1)))
		got := workerOf(&d.Spec.Template.Spec)
		if got.Image != want.Image || !slices.Equal(got.Command, want.Command) || !slices.Equal(got.Args, want.Args) || got.ImagePullPolicy != want.ImagePullPolicy {
			t.Errorf("%s gives %+v", processor, got)
		}
	}
}

// TestProgramsFindTheirConfiguration checks that programs need no argument to find their
// configuration.
func TestProgramsFindTheirConfiguration(t *testing.T) {
	if path := configDir + "/" + configFile; path != sdk.DefaultConfigPath {
		t.Errorf("the configuration is mounted as %s, but the SDK looks for %s", path, sdk.DefaultConfigPath)
	}
}

// TestQuantitiesAreRounded checks that amounts are rounded as the API server does.
func TestQuantitiesAreRounded(t *testing.T) {
	spec := pod(t, "{initContainers: [{name: a, resources: {limits: {cpu: 1u}}}], overhead: {memory: 1500u}, containers: [{name: worker, resources: {requests: {cpu: 100500u}}}]}").Spec
	limits, overhead, requests := spec.InitContainers[0].Resources.Limits, spec.Overhead, workerOf(&spec).Resources.Requests
	if got := limits.Cpu().String() + " " + overhead.Memory().String() + " " + requests.Cpu().String(); got != "1m 2m 101m" {
		t.Errorf("rounded to %s", got)
	}
}

// TestMetadataIsChecked checks labels and annotations for `millrace run`, which has no API
// server.
func TestMetadataIsChecked(t *testing.T) {
	for change, want := range map[string]string{
		"template: {metadata: {labels: {a b: c}}}":                            "spec.template.metadata.labels: \"a b\": ",
		"template: {metadata: {labels: {a: -}}}":                              "spec.template.metadata.labels: \"a\": ",
		"template: {metadata: {annotations: {a/b/c: d}}}":                     "spec.template.metadata.annotations: \"a/b/c\": ",
		"deployment: {labels: {'': c}}":                                       "spec.deployment.labels: \"\": ",
		"deployment: {annotations: {deployment.kubernetes.io/revision: '7'}}": "spec.deployment.annotations: \"deployment.kubernetes.io/revision\": ",
		"deployment: {annotations: {deprecated.deployment.rollback.to: '1'}}": "spec.deployment.annotations: \"deprecated.deployment.rollback.to\": ",
		"deployment: {annotations: {a b: c}}":                                 "spec.deployment.annotations: \"a b\": ",
	} {
		if err := CheckTemplate(decode(t, least+"  "+change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %s", change, err, want)
		}
	}
	if err := CheckTemplate(decode(t, least+"  deployment: {labels: {a.b/C: ''}, annotations: {Reloader.example/Auto: '{}'}}")); err != nil {
		t.Error(err)
	}
}
