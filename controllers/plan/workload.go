package plan

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// revisionAnnotation is the Deployment controller's, on a Deployment and on each of
// its ReplicaSets: the present ReplicaSet has the Deployment's number.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// Workload is the Deployment with its ReplicaSets and pods.
type Workload struct {
	// Deployment is nil while there is none.
	Deployment *appsv1.Deployment
	// TemplateChanged: the operator has just given the Deployment another pod template.
	TemplateChanged bool
	// ReplicaSets are those of the Deployment, in any order.
	ReplicaSets []metav1.ObjectMeta
	// Pods are those with the StreamProcessor's labels, in any order.
	Pods []corev1.Pod
}

// Held returns the number of pods that the Deployment asks for. A plan that knows too
// little to change the number keeps it.
func (w *Workload) Held() int32 {
	if w.Deployment == nil || w.Deployment.Spec.Replicas == nil {
		return 0
	}
	return *w.Deployment.Spec.Replicas
}

// lastRan returns the number of pods that run, or that ran before all were stopped; 0
// if no pod has ever run.
func (w *Workload) lastRan() int32 { return resources.RanReplicas(w.Deployment) }

// Owns reports whether a pod belongs to the Deployment. Other pods may have the same
// labels.
func (w *Workload) Owns(pod *corev1.Pod) bool {
	return slices.ContainsFunc(w.ReplicaSets, func(set metav1.ObjectMeta) bool { return metav1.IsControlledBy(pod, &set) })
}

// podsOfTemplate returns the pods of the Deployment's present template. There are none
// until the Deployment's controller has seen the template.
func (w *Workload) podsOfTemplate() []corev1.Pod {
	revision := w.Deployment.Annotations[revisionAnnotation]
	var pods []corev1.Pod
	for _, set := range w.ReplicaSets {
		if set.Annotations[revisionAnnotation] != revision {
			continue
		}
		for i := range w.Pods {
			if metav1.IsControlledBy(&w.Pods[i], &set) {
				pods = append(pods, w.Pods[i])
			}
		}
	}
	return pods
}

// starting returns the name of the first pod whose worker runs and whose startup probe has not
// succeeded yet, "" if there is none. The kubelet restarts a worker whose probe fails for too
// long.
func (w *Workload) starting() (first string) {
	for _, pod := range w.podsOfTemplate() {
		for _, c := range pod.Status.ContainerStatuses {
			if c.Name == v1alpha1.WorkerContainer && c.State.Running != nil && c.Started != nil && !*c.Started && (first == "" || pod.Name < first) {
				first = pod.Name
			}
		}
	}
	return first
}

// podsLeft returns the number of pods, including those that are terminating.
func (w *Workload) podsLeft() int {
	if w.Deployment == nil {
		return len(w.Pods)
	}
	left := 0
	for i := range w.Pods {
		if w.Owns(&w.Pods[i]) {
			left++
		}
	}
	return max(left, int(w.Deployment.Status.Replicas))
}

// complete reports whether all wanted pods have the present template and are members
// of the group, and no other pods are left.
func complete(d *appsv1.Deployment, want int32) bool {
	s := &d.Status
	return s.UpdatedReplicas >= want && s.Replicas <= s.UpdatedReplicas && s.ReadyReplicas >= want
}

func deploymentCondition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}
