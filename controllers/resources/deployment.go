package resources

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// deployment returns the Deployment that runs the workers.
func deployment(sp *v1alpha1.StreamProcessor, in Inputs, template corev1.PodTemplateSpec) *appsv1.Deployment {
	meta := objectMeta(sp)
	meta.Labels = labels.Merge(sp.Spec.Deployment.Labels, meta.Labels)
	meta.Annotations = maps.Clone(sp.Spec.Deployment.Annotations)
	d := &appsv1.Deployment{
		TypeMeta:   typeMeta("apps/v1", "Deployment"),
		ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{
			Replicas:             &in.Replicas,
			Selector:             &metav1.LabelSelector{MatchLabels: Selector(sp.Name)},
			Strategy:             rollout(in.Replicas, in.Partitions),
			RevisionHistoryLimit: new(int32(3)),
			Template:             template,
		},
	}
	keep(d, in)
	return d
}
