package resources

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// replicasAnnotation, on the Deployment, holds the last number of pods above zero. A
// Deployment that is scaled to zero does not remember it otherwise.
const replicasAnnotation = "millrace.dev/replicas"

// keep writes the annotations that outlast the pods.
func keep(d *appsv1.Deployment, in Inputs) {
	kept := map[string]string{}
	if in.RanReplicas > 0 {
		kept[replicasAnnotation] = strconv.Itoa(int(in.RanReplicas))
	}
	if in.CPU > 0 {
		kept[cpuAnnotation] = strconv.FormatInt(in.CPU, 10)
	}
	if len(kept) > 0 {
		d.Annotations = labels.Merge(d.Annotations, kept)
	}
}

// Scale returns a merge patch that sets the number and the CPU of a Deployment's pods and
// leaves the pod template unchanged.
func Scale(d *appsv1.Deployment) map[string]any {
	kept := map[string]any{replicasAnnotation: nil, cpuAnnotation: nil}
	for name := range kept {
		if value, ok := d.Annotations[name]; ok {
			kept[name] = value
		}
	}
	return map[string]any{
		"metadata": map[string]any{"annotations": kept},
		"spec":     map[string]any{"replicas": d.Spec.Replicas, "strategy": d.Spec.Strategy},
	}
}

// ScaleWithoutCPU returns a merge patch that removes the CPU of the pods from a
// Deployment's annotations.
func ScaleWithoutCPU() map[string]any {
	return map[string]any{"metadata": map[string]any{"annotations": map[string]any{cpuAnnotation: nil}}}
}

// Stopped returns a copy of an existing Deployment with zero replicas.
func Stopped(d *appsv1.Deployment) *appsv1.Deployment {
	stopped := d.DeepCopy()
	stopped.TypeMeta = typeMeta("apps/v1", "Deployment") // objects from the cache have none
	stopped.Spec.Replicas = new(int32(0))
	return stopped
}

// RanReplicas returns the last number of pods of a Deployment above zero, 0 if it never ran
// any.
func RanReplicas(d *appsv1.Deployment) int32 {
	if d == nil {
		return 0
	}
	if n := d.Spec.Replicas; n != nil && *n > 0 {
		return *n
	}
	n, err := strconv.ParseInt(d.Annotations[replicasAnnotation], 10, 32)
	if err != nil {
		return 0
	}
	return max(0, int32(n))
}
