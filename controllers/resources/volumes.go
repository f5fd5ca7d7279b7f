package resources

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// The paths in a pod.
const (
	configDir      = "/etc/millrace"
	expressionsDir = "/etc/millrace-expressions"
	credentialsDir = "/etc/millrace-credentials"
	stateDir       = "/etc/millrace-state"
	tmpDir         = "/tmp"
)

const expressionsVolume = "millrace-expressions"

func volumes(sp *v1alpha1.StreamProcessor, overlay *corev1.PodSpec, configHash string) []corev1.Volume {
	list := []corev1.Volume{{
		Name: "millrace-config",
		VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: ConfigMapName(sp, configHash)},
		}},
	}, {
		// The volume outlives a container that was killed, but not the pod.
		Name:         "millrace-state",
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("1Mi"))}},
	}}
	if sp.Spec.Processor.CEL != nil {
		list = append(list, corev1.Volume{
			Name: expressionsVolume,
			VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: expressionsName(sp, configHash)},
			}},
		})
	}
	if v := credentialsVolume(sp); v != nil {
		list = append(list, *v)
	}
	list = append(list, sidecarVolumes(sp, overlay)...)
	replaced := slices.ContainsFunc(overlay.Volumes, func(v corev1.Volume) bool { return v.Name == tmpVolume })
	if needsTmp(workerOf(overlay)) && !replaced {
		list = append(list, corev1.Volume{Name: tmpVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	return list
}

func volumeMounts(sp *v1alpha1.StreamProcessor, own corev1.Container) []corev1.VolumeMount {
	list := []corev1.VolumeMount{
		{Name: "millrace-config", MountPath: configDir, ReadOnly: true},
		{Name: "millrace-state", MountPath: stateDir},
	}
	if sp.Spec.Processor.CEL != nil {
		list = append(list, corev1.VolumeMount{Name: expressionsVolume, MountPath: expressionsDir, ReadOnly: true})
	}
	if credentialsVolume(sp) != nil {
		list = append(list, corev1.VolumeMount{Name: credentialsVolumeName, MountPath: credentialsDir, ReadOnly: true})
	}
	if sp.Spec.Processor.Sidecar != nil {
		list = append(list, corev1.VolumeMount{Name: socketVolume, MountPath: socketDir})
	}
	if needsTmp(own) {
		list = append(list, corev1.VolumeMount{Name: tmpVolume, MountPath: tmpDir})
	}
	return list
}

// needsTmp reports whether the overlay mounts nothing at /tmp. Programs expect a place for
// temporary files, and the root file system is read-only.
func needsTmp(own corev1.Container) bool {
	return !slices.ContainsFunc(own.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean(m.MountPath) == tmpDir })
}
