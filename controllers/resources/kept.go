package resources

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// replicasAnnotation, on the Deployment, is how many pods ran last. A Deployment
// without pods has forgotten it otherwise.
const replicasAnnotation = "millrace.dev/replicas"

// keep notes on the Deployment what has to outlast the pods.
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

// Scale returns the part of a Deployment that is about the number and the size of its
// pods, for a merge patch that leaves the pod template as it is.
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

// ScaleWithoutCPU is the part of a Deployment without the note of its pods' CPU, for a
// merge patch that removes that.
func ScaleWithoutCPU() map[string]any {
	return map[string]any{"metadata": map[string]any{"annotations": map[string]any{cpuAnnotation: nil}}}
}

// Stopped is a Deployment that there is, without pods.
func Stopped(d *appsv1.Deployment) *appsv1.Deployment {
	stopped := d.DeepCopy()
	stopped.TypeMeta = typeMeta("apps/v1", "Deployment") // what comes from the cache has none
	stopped.Spec.Replicas = new(int32(0))
	return stopped
}

// RanReplicas returns how many pods a Deployment ran last, 0 if it never ran any.
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
