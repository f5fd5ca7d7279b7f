package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// ContainerName is that of the worker's container in its pod.
const ContainerName = "worker"

func container(sp *v1alpha1.StreamProcessor, t v1alpha1.PodTemplateSpec, workerImage string) corev1.Container {
	image, pull := workerImage, corev1.PullPolicy("")
	if own := sp.Spec.Processor.Image; own != nil {
		image, pull = own.Name, own.PullPolicy
	}
	return corev1.Container{
		Name:            ContainerName,
		Image:           image,
		ImagePullPolicy: pull,
		Args:            []string{"--config", configDir + "/" + configFile},
		Env:             t.Env,
		Resources:       orDefault(t.Resources),
		VolumeMounts:    append(volumeMounts(sp), t.VolumeMounts...),
		Ports: []corev1.ContainerPort{{
			Name: metricsPortName, ContainerPort: MetricsPort, Protocol: corev1.ProtocolTCP,
		}},
		ReadinessProbe: probe("/readyz", 2, 3),
		LivenessProbe:  probe("/healthz", 10, 3),
		// The line that a worker ends with becomes part of the conditions.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			ReadOnlyRootFilesystem:   new(true),
			RunAsNonRoot:             new(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}

// probe asks every so many seconds, and gives up after so many failures.
func probe(path string, seconds, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(metricsPortName), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds: seconds, FailureThreshold: failures, TimeoutSeconds: 5, SuccessThreshold: 1,
	}
}

// orDefault reserves a little where nothing is said. There is no limit: it would
// slow down whoever has not thought of one.
func orDefault(r corev1.ResourceRequirements) corev1.ResourceRequirements {
	if len(r.Requests)+len(r.Limits)+len(r.Claims) > 0 {
		return r
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: resource.MustParse("128Mi"),
	}}
}
