package resources

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// CheckTemplate returns the errors that prevent the merge of sp's template into its pods,
// each with its field.
func CheckTemplate(sp *v1alpha1.StreamProcessor) error {
	_, err := podTemplate(sp, Inputs{}, "")
	return err
}

// podTemplate returns the operator's pod merged with the template of sp.
func podTemplate(sp *v1alpha1.StreamProcessor, in Inputs, configHash string) (corev1.PodTemplateSpec, error) {
	overlay, err := sp.Spec.Template.PodSpec()
	if err != nil {
		return corev1.PodTemplateSpec{}, err
	}
	base := podSpec(sp, in, overlay, configHash)
	merged, err := overlaid(base, sp.Spec.Template)
	if err != nil {
		return corev1.PodTemplateSpec{}, err
	}
	restrict(merged)
	roundQuantities(merged)
	template := corev1.PodTemplateSpec{ObjectMeta: podMeta(sp, in, configHash), Spec: *merged}
	return template, errors.Join(checkMetadata(&sp.Spec), checkPod(base, overlay, merged))
}

// podMeta returns the pod's metadata. The operator's labels and annotations win over those
// of the template.
func podMeta(sp *v1alpha1.StreamProcessor, in Inputs, configHash string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{Labels: ownLabels(sp), Annotations: map[string]string{
		// With this annotation kubectl logs and exec need no --container.
		"kubectl.kubernetes.io/default-container": v1alpha1.WorkerContainer,
	}}
	if t := sp.Spec.Template; t != nil {
		meta.Labels = labels.Merge(t.Metadata.Labels, meta.Labels)
		meta.Annotations = labels.Merge(meta.Annotations, t.Metadata.Annotations)
	}
	meta.Labels[ConfigLabel] = configHash
	if in.CredentialsHash != "" {
		meta.Annotations[credentialsHashAnnotation] = in.CredentialsHash
	}
	if in.ReplacedFor != "" {
		meta.Annotations[replacedForAnnotation] = in.ReplacedFor
	}
	return meta
}

// podSpec returns the pod before the merge. It leaves out defaults that the overlay
// replaces.
func podSpec(sp *v1alpha1.StreamProcessor, in Inputs, overlay *corev1.PodSpec, configHash string) *corev1.PodSpec {
	own := workerOf(overlay)
	pod := &corev1.PodSpec{
		ServiceAccountName:            Name(sp),
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(gracePeriod(sp, own)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   new(true),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Volumes:        volumes(sp, overlay, configHash),
		InitContainers: sidecars(sp, overlay, in.WorkerImage),
		Containers:     []corev1.Container{container(sp, own, in.WorkerImage)},
	}
	if overlay.TopologySpreadConstraints == nil {
		pod.TopologySpreadConstraints = spread(sp)
	}
	return pod
}

// spread asks the scheduler to put the pods of one version on different nodes where there
// is room.
func spread(sp *v1alpha1.StreamProcessor) []corev1.TopologySpreadConstraint {
	return []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway,
		LabelSelector:  &metav1.LabelSelector{MatchLabels: Selector(sp.Name)},
		MatchLabelKeys: []string{"pod-template-hash"},
	}}
}

// overlaid merges the template into the pod.
func overlaid(base *corev1.PodSpec, t *v1alpha1.PodTemplateSpec) (*corev1.PodSpec, error) {
	if t == nil || t.Spec == nil || len(t.Spec.Raw) == 0 {
		return base.DeepCopy(), nil
	}
	before, err := json.Marshal(base)
	if err != nil {
		return nil, fmt.Errorf("write the pod: %w", err)
	}
	after, err := strategicpatch.StrategicMergePatch(before, t.Spec.Raw, corev1.PodSpec{})
	if err != nil {
		return nil, fmt.Errorf("spec.template.spec: it can't be merged: %w", err)
	}
	merged := &corev1.PodSpec{}
	if err := json.Unmarshal(after, merged); err != nil {
		return nil, fmt.Errorf("spec.template.spec: %w", err)
	}
	return merged, nil
}

// workerOf returns the worker's container, an empty one if the pod has none.
func workerOf(pod *corev1.PodSpec) corev1.Container {
	if i := workerIndex(pod); i >= 0 {
		return pod.Containers[i]
	}
	return corev1.Container{}
}

func workerIndex(pod *corev1.PodSpec) int {
	return slices.IndexFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == v1alpha1.WorkerContainer })
}

// gracePeriod returns the seconds that a stop may take: the time of the worker's own stop,
// after the pause of a preStop hook in the overlay.
func gracePeriod(sp *v1alpha1.StreamProcessor, own corev1.Container) int64 {
	drain := 20 * time.Second
	if sp.Spec.DrainTimeout != nil {
		drain = sp.Spec.DrainTimeout.Duration
	}
	pause := int64(0)
	if l := own.Lifecycle; l != nil && l.PreStop != nil && l.PreStop.Sleep != nil {
		pause = min(max(0, l.PreStop.Sleep.Seconds), math.MaxInt32)
	}
	return pause + int64(math.Ceil(config.KillTimeout(drain).Seconds()))
}
