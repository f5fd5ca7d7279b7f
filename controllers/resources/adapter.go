package resources

import (
	"errors"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// The adapter of a program that does not speak the protocol is a part of the worker's program.
// An init container copies that into a volume, from which the processor's container runs it:
// so the user's image needs nothing for it.
const (
	adapterContainer = "millrace-adapter"
	adapterVolume    = "millrace-adapter"
	adapterDir       = "/run/millrace-adapter"
	adapterProgram   = adapterDir + "/worker"
)

// adapter returns the container that copies the worker's program.
func adapter(overlay *corev1.PodSpec, workerImage string) corev1.Container {
	c := corev1.Container{
		Name:                     adapterContainer,
		Image:                    workerImage,
		Args:                     []string{"install", adapterProgram},
		VolumeMounts:             []corev1.VolumeMount{{Name: adapterVolume, MountPath: adapterDir}},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          restricted(),
	}
	i := slices.IndexFunc(overlay.InitContainers, isAdapter)
	if i < 0 || len(overlay.InitContainers[i].Resources.Requests)+len(overlay.InitContainers[i].Resources.Limits) == 0 {
		c.Resources = defaultResources()
	}
	return c
}

// adapt has a processor's container run its program behind an adapter.
func adapt(kind v1alpha1.SidecarAdapter, c *corev1.Container) {
	c.Command = slices.Concat([]string{adapterProgram, string(kind), "--"}, c.Command)
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: adapterVolume, MountPath: adapterDir, ReadOnly: true})
}

// adapterVolumeOf returns the volume with the adapter. It is not in memory, which would count
// as the pod's.
func adapterVolumeOf() corev1.Volume {
	return corev1.Volume{
		Name: adapterVolume,
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			SizeLimit: new(resource.MustParse("512Mi")),
		}},
	}
}

func isAdapter(c corev1.Container) bool { return c.Name == adapterContainer }

// checkAdapter refuses an overlay that keeps the adapter from the processor's container.
func checkAdapter(base, overlay, merged *corev1.PodSpec) error {
	if !slices.ContainsFunc(base.InitContainers, isAdapter) {
		return nil
	}
	i := slices.IndexFunc(merged.InitContainers, isAdapter)
	if i < 0 || i > processorIndex(merged) {
		return errors.New("spec.template.spec.initContainers: the container " + adapterContainer + " brings the adapter to the container processor: keep it, and in front of that")
	}
	j := slices.IndexFunc(overlay.InitContainers, isAdapter)
	if j < 0 {
		return nil
	}
	own := overlay.InitContainers[j]
	if own.Image != "" || own.Command != nil || own.Args != nil || own.RestartPolicy != nil || mountsAt(own, adapterDir) {
		return errors.New(containerPath("initContainers", j) + ": the container is the operator's own: its image, command, args, restartPolicy and the mount of " + adapterDir + " can't be changed")
	}
	return nil
}

func mountsAt(c corev1.Container, dir string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean(m.MountPath) == dir })
}
