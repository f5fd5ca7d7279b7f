package resources

import (
	"maps"
	"math"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// deployment runs the workers.
func deployment(sp *v1alpha1.StreamProcessor, in Inputs, configHash string) *appsv1.Deployment {
	d := &appsv1.Deployment{
		TypeMeta:   typeMeta("apps/v1", "Deployment"),
		ObjectMeta: objectMeta(sp),
		Spec: appsv1.DeploymentSpec{
			Replicas:             &in.Replicas,
			Selector:             &metav1.LabelSelector{MatchLabels: Selector(sp.Name)},
			Strategy:             rollout(in.Replicas, in.Partitions),
			RevisionHistoryLimit: new(int32(3)),
			Template:             podTemplate(sp, in, configHash),
		},
	}
	keep(d, in)
	return d
}

func podTemplate(sp *v1alpha1.StreamProcessor, in Inputs, configHash string) corev1.PodTemplateSpec {
	t := template(sp)
	labels := maps.Clone(t.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, ownLabels(sp))
	annotations := map[string]string{}
	maps.Copy(annotations, t.Annotations)
	annotations[configHashAnnotation] = configHash
	if in.SecretsHash != "" {
		annotations[secretsHashAnnotation] = in.SecretsHash
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
		Spec: corev1.PodSpec{
			ServiceAccountName:            Name(sp),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			TerminationGracePeriodSeconds: new(gracePeriod(sp)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   new(true),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			NodeSelector:     t.NodeSelector,
			Tolerations:      t.Tolerations,
			Affinity:         t.Affinity,
			ImagePullSecrets: t.ImagePullSecrets,
			Volumes:          append(volumes(sp), t.Volumes...),
			Containers:       []corev1.Container{container(sp, t, in.WorkerImage)},
		},
	}
}

func template(sp *v1alpha1.StreamProcessor) v1alpha1.PodTemplateSpec {
	if sp.Spec.Template == nil {
		return v1alpha1.PodTemplateSpec{}
	}
	return *sp.Spec.Template
}

// gracePeriod is in seconds: what the worker says a stop takes.
func gracePeriod(sp *v1alpha1.StreamProcessor) int64 {
	drain := 20 * time.Second
	if sp.Spec.DrainTimeout != nil {
		drain = sp.Spec.DrainTimeout.Duration
	}
	return int64(math.Ceil(config.KillTimeout(drain).Seconds()))
}
