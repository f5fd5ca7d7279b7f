package resources

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// The place where the worker and the processor's container meet.
const (
	socketVolume = "millrace-socket"
	socketDir    = "/run/millrace"
	socketPath   = socketDir + "/processor.sock"
)

// sidecarTmpVolume is the processor's /tmp.
const sidecarTmpVolume = "millrace-processor-tmp"

// sidecars returns the container of a processor in any language, and the one for its adapter
// in front of it, before the merge with the template. Kubernetes starts the processor before
// the worker, restarts it alone, and stops it last.
func sidecars(sp *v1alpha1.StreamProcessor, overlay *corev1.PodSpec, workerImage string) []corev1.Container {
	s := sp.Spec.Processor.Sidecar
	if s == nil {
		return nil
	}
	own := processorOf(overlay)
	c := corev1.Container{
		Name:            v1alpha1.ProcessorContainer,
		Image:           s.Image,
		Command:         s.Command,
		Args:            s.Args,
		ImagePullPolicy: s.ImagePullPolicy,
		RestartPolicy:   new(corev1.ContainerRestartPolicyAlways),
		Env: append([]corev1.EnvVar{
			{Name: "MILLRACE_SOCKET", Value: socketPath},
			{Name: "MILLRACE_PROCESSES", Value: strconv.Itoa(processes(sp))},
		}, without(s.Env, own.Env, func(v corev1.EnvVar) string { return v.Name })...),
		Ports:                    without(s.Ports, own.Ports, func(p corev1.ContainerPort) int32 { return p.ContainerPort }),
		Resources:                s.Resources,
		VolumeMounts:             []corev1.VolumeMount{{Name: socketVolume, MountPath: socketDir}},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          restricted(),
	}
	if needsTmp(own) {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: sidecarTmpVolume, MountPath: tmpDir})
	}
	if isEmpty(&s.Resources) && isEmpty(&own.Resources) {
		c.Resources = defaultResources()
	}
	if s.Adapter == "" {
		return []corev1.Container{c}
	}
	adapt(s.Adapter, &c)
	return []corev1.Container{adapter(overlay, workerImage), c}
}

// without returns the items of list of which the template has no item with the same key. The
// template's then takes the place of the whole item: a merge of both could be none that
// Kubernetes takes, such as a variable with a value and a reference.
func without[T any, K comparable](list, template []T, key func(T) K) []T {
	return slices.DeleteFunc(slices.Clone(list), func(item T) bool {
		return slices.ContainsFunc(template, func(other T) bool { return key(other) == key(item) })
	})
}

func isEmpty(r *corev1.ResourceRequirements) bool {
	return len(r.Requests)+len(r.Limits)+len(r.Claims) == 0
}

// sidecarVolumes returns the volumes of the processor's container.
func sidecarVolumes(sp *v1alpha1.StreamProcessor, overlay *corev1.PodSpec) []corev1.Volume {
	if sp.Spec.Processor.Sidecar == nil {
		return nil
	}
	list := []corev1.Volume{{
		Name: socketVolume,
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			Medium: corev1.StorageMediumMemory, SizeLimit: new(resource.MustParse("1Mi")),
		}},
	}}
	if sp.Spec.Processor.Sidecar.Adapter != "" {
		list = append(list, adapterVolumeOf())
	}
	if needsTmp(processorOf(overlay)) {
		list = append(list, corev1.Volume{Name: sidecarTmpVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	return list
}

// processorOf returns the processor's container, an empty one if the pod has none.
func processorOf(pod *corev1.PodSpec) corev1.Container {
	if i := processorIndex(pod); i >= 0 {
		return pod.InitContainers[i]
	}
	return corev1.Container{}
}

func processorIndex(pod *corev1.PodSpec) int {
	return slices.IndexFunc(pod.InitContainers, func(c corev1.Container) bool { return c.Name == v1alpha1.ProcessorContainer })
}

// processes returns how many processes the processor's container runs: what the spec says, or
// one for each CPU of the container's limit.
func processes(sp *v1alpha1.StreamProcessor) int {
	if n := sp.Spec.Processor.Sidecar.Processes; n != nil {
		return int(*n)
	}
	// The spec and the template may both set a limit, so the merge of the two decides.
	merged, err := overlaid(&corev1.PodSpec{InitContainers: []corev1.Container{{
		Name: v1alpha1.ProcessorContainer, Resources: sp.Spec.Processor.Sidecar.Resources,
	}}}, sp.Spec.Template)
	if err != nil {
		return 1 // CheckTemplate reports it
	}
	own := processorOf(merged)
	limit := own.Resources.Limits.Cpu().MilliValue()
	return int(min(max((limit+999)/1000, 1), 256))
}

// concurrency returns the number of calls at the same time, 0 for the worker's default. Each
// process of a sidecar has a batch to work on, and a further one that waits for it.
func concurrency(sp *v1alpha1.StreamProcessor) int {
	if sp.Spec.Concurrency == nil && sp.Spec.Processor.Sidecar != nil {
		return 2 * processes(sp)
	}
	return number(sp.Spec.Concurrency)
}

// sidecarConfig returns the worker's part of a sidecar, nil for another processor.
func sidecarConfig(p v1alpha1.ProcessorSpec) (*config.Sidecar, error) {
	if p.Sidecar == nil {
		return nil, nil
	}
	s := &config.Sidecar{Socket: socketPath}
	b := p.Sidecar.Batch
	if b == nil {
		return s, nil
	}
	size, err := byteCount("spec.processor.sidecar.batch.maxBytes", b.MaxBytes)
	s.Batch = config.SidecarBatch{MaxRecords: number(b.MaxRecords), MaxBytes: size, Linger: duration(b.Linger)}
	return s, err
}
