package resources

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// cpuAnnotation, on the Deployment, holds the decided CPU limit of each pod, in thousandths
// of a CPU. It is not in the template, because a changed template would replace all pods.
// So pods start with the limit of the template, and the operator resizes them as soon as it
// sees them.
const cpuAnnotation = "millrace.dev/milli-cpu"

// KeptCPU returns the decided CPU limit of a Deployment's pods, in thousandths of a CPU; 0
// for the limit of the template.
func KeptCPU(d *appsv1.Deployment) int64 {
	if d == nil {
		return 0
	}
	milli, err := strconv.ParseInt(d.Annotations[cpuAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return max(0, milli)
}

// TemplateCPU returns the CPU limit with which the pods of a Deployment start, in
// thousandths of a CPU; 0 if there is none.
func TemplateCPU(d *appsv1.Deployment) int64 {
	if d == nil {
		return 0
	}
	if c := workerContainer(&d.Spec.Template.Spec); c != nil {
		return c.Resources.Limits.Cpu().MilliValue()
	}
	return 0
}

// PodCPU returns the CPU limit that a pod asks for and the one that it has, in thousandths
// of a CPU; 0 if there is none.
func PodCPU(pod *corev1.Pod) (asked, has int64) {
	if c := workerContainer(&pod.Spec); c != nil {
		asked = c.Resources.Limits.Cpu().MilliValue()
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.Name == v1alpha1.WorkerContainer && s.Resources != nil {
			return asked, s.Resources.Limits.Cpu().MilliValue()
		}
	}
	return asked, asked
}

// ResizedCPU returns the resources of a pod of the Deployment whose CPU limit is milli
// thousandths of a CPU. The request grows in proportion, so that the node reserves the CPU
// and the pod's quality of service stays the same.
func ResizedCPU(d *appsv1.Deployment, milli int64) corev1.ResourceRequirements {
	request := milli
	if c := workerContainer(&d.Spec.Template.Spec); c != nil {
		limit, asked := c.Resources.Limits.Cpu().MilliValue(), c.Resources.Requests.Cpu().MilliValue()
		if asked > 0 && limit > 0 {
			request = (milli*asked + limit - 1) / limit
		}
	}
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(request, resource.DecimalSI)},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(milli, resource.DecimalSI)},
	}
}

// RestartsForCPU reports whether a change of a pod's CPU restarts the container, according
// to the template.
func RestartsForCPU(pod *corev1.Pod) bool {
	c := workerContainer(&pod.Spec)
	if c == nil {
		return false
	}
	for _, p := range c.ResizePolicy {
		if p.ResourceName == corev1.ResourceCPU && p.RestartPolicy == corev1.RestartContainer {
			return true
		}
	}
	return false
}

func workerContainer(spec *corev1.PodSpec) *corev1.Container {
	for i := range spec.Containers {
		if spec.Containers[i].Name == v1alpha1.WorkerContainer {
			return &spec.Containers[i]
		}
	}
	return nil
}
