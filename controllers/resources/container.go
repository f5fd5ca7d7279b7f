package resources

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// startTimeout is how long a program may take before it serves its health. Some programs
// load a model first.
const startTimeout = 30 * time.Minute

// container returns the worker's container before the merge with the template. own is the
// template's part of the container; a field that own sets gets no default here.
func container(sp *v1alpha1.StreamProcessor, own corev1.Container, workerImage string) corev1.Container {
	c := corev1.Container{
		Name:         v1alpha1.WorkerContainer,
		Env:          memoryLimit(own),
		VolumeMounts: volumeMounts(sp, own),
		Ports: []corev1.ContainerPort{{
			Name: metricsPortName, ContainerPort: MetricsPort, Protocol: corev1.ProtocolTCP,
		}},
		StartupProbe:   probe(own.StartupProbe, "/healthz", 2, int32(startTimeout.Seconds()/2)),
		ReadinessProbe: probe(own.ReadinessProbe, "/readyz", 2, 3),
		LivenessProbe:  probe(own.LivenessProbe, "/healthz", 10, 3),
		// The last line of a failed worker's log becomes part of the conditions.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          restricted(),
	}
	if r := own.Resources; len(r.Requests)+len(r.Limits)+len(r.Claims) == 0 {
		c.Resources = defaultResources()
	}
	program(sp.Spec.Processor, workerImage, &c)
	return c
}

// restricted returns the security context of the operator's containers.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		RunAsNonRoot:             new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// program sets the image, the command and the arguments of c. A user's program finds its
// configuration where the SDK looks for it by default.
func program(p v1alpha1.ProcessorSpec, workerImage string, c *corev1.Container) {
	if own := p.Container; own != nil {
		c.Image, c.Command, c.Args, c.ImagePullPolicy = own.Image, own.Command, own.Args, own.ImagePullPolicy
		return
	}
	c.Image, c.Args = workerImage, []string{"--config", configDir + "/" + configFile}
	if p.CEL != nil && p.CEL.Image != "" {
		c.Image = p.CEL.Image
	}
}

// memoryLimit returns the variable that makes Go's garbage collector keep the memory below
// the container's limit. A tenth of the limit is left for memory that the collector does
// not count.
func memoryLimit(own corev1.Container) []corev1.EnvVar {
	const name = "GOMEMLIMIT"
	mebibytes := (own.Resources.Limits.Memory().Value() / 10 * 9) >> 20
	if mebibytes == 0 || slices.ContainsFunc(own.Env, func(v corev1.EnvVar) bool { return v.Name == name }) {
		return nil
	}
	return []corev1.EnvVar{{Name: name, Value: fmt.Sprintf("%dMiB", mebibytes)}}
}

// probe returns an HTTP probe with that period and threshold. If the overlay's probe uses
// another way to ask, probe leaves the HTTP request out.
func probe(own *corev1.Probe, path string, seconds, failures int32) *corev1.Probe {
	p := &corev1.Probe{PeriodSeconds: seconds, FailureThreshold: failures, TimeoutSeconds: 5, SuccessThreshold: 1}
	if own == nil || own.Exec == nil && own.TCPSocket == nil && own.GRPC == nil {
		p.HTTPGet = &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(metricsPortName), Scheme: corev1.URISchemeHTTP,
		}
	}
	return p
}

// defaultResources returns small requests for a container without any. They include no
// limit, because a limit would slow down users who did not ask for one.
func defaultResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: resource.MustParse("128Mi"),
	}}
}
