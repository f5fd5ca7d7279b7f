package resources

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// cpuAnnotation, on the Deployment, is the CPU limit that each pod is to have, in
// thousandths. It is beside the template and not in it: a changed template replaces
// all pods, and what autoscaling.vertical is for is that they go on. So pods start
// with what the template says, and are resized as soon as they are seen.
const cpuAnnotation = "millrace.dev/milli-cpu"

// KeptCPU returns the CPU limit, in thousandths, that the pods of a Deployment are to
// have; 0 for that of the template.
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

// TemplateCPU returns the CPU limit, in thousandths, that the pods of a Deployment
// start with; 0 if there is none.
func TemplateCPU(d *appsv1.Deployment) int64 {
	if d == nil {
		return 0
	}
	if c := workerContainer(&d.Spec.Template.Spec); c != nil {
		return c.Resources.Limits.Cpu().MilliValue()
	}
	return 0
}

// PodCPU returns the CPU limit that a pod asks for and the one that it has, in
// thousandths; 0 where there is none.
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

// ResizedCPU returns what a pod of the Deployment asks for when its limit is milli
// thousandths of a CPU: its request grows in proportion, so that a node has room for
// it, and the pod's quality of service stays as it is.
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

// RestartsForCPU reports whether a pod's template has the container restarted when
// its CPU changes.
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
