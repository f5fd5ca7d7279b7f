package controllers

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// PodWatch is what a podwatch.Watcher offers. None of it blocks.
type PodWatch interface {
	Set(types.NamespacedName, []podwatch.Pod)
	Forget(types.NamespacedName)
	Facts(types.NamespacedName) podwatch.Facts
}

var _ PodWatch = (*podwatch.Watcher)(nil)

// observe gathers what the plan depends on, and tells the pollers what to ask.
func (r *Reconciler) observe(ctx context.Context, s *scope) error {
	for _, look := range []phase{r.observeObjects, r.observeReplicaSets, r.observePods, r.observeCredentials, r.observeGroup} {
		if err := look(ctx, s); err != nil {
			return err
		}
	}
	r.observeExpressions(s)
	r.observeCPU(s)
	r.observeKafka(s)
	r.observeWorkers(s)
	s.observePartitions()
	return nil
}

func (r *Reconciler) observePods(ctx context.Context, s *scope) error {
	var pods corev1.PodList
	err := r.Client.List(ctx, &pods, client.InNamespace(s.sp.Namespace), client.MatchingLabels(resources.Selector(s.sp.Name)))
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	// What has ended and is only kept to be looked at holds nothing.
	s.observed.Pods = slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	return nil
}

// observeReplicaSets finds those of the Deployment: they tell its pods from others
// that bear the same labels, and the present ones from those that are replaced. The
// cache holds their metadata only.
func (r *Reconciler) observeReplicaSets(ctx context.Context, s *scope) error {
	if s.observed.Deployment == nil {
		return nil
	}
	sets := &metav1.PartialObjectMetadataList{}
	sets.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"))
	err := r.Client.List(ctx, sets, client.InNamespace(s.sp.Namespace), client.MatchingLabels(resources.Selector(s.sp.Name)))
	if err != nil {
		return fmt.Errorf("list ReplicaSets: %w", err)
	}
	for i := range sets.Items {
		if set := &sets.Items[i].ObjectMeta; metav1.IsControlledBy(set, s.observed.Deployment) {
			s.observed.ReplicaSets = append(s.observed.ReplicaSets, *set)
		}
	}
	return nil
}

// observeWorkers has the Deployment's running pods asked, and takes from what they said last
// the partitions that don't get on and what Kafka lost.
func (r *Reconciler) observeWorkers(s *scope) {
	var pods []podwatch.Pod
	for i := range s.observed.Pods {
		p := &s.observed.Pods[i]
		if p.Status.PodIP != "" && p.DeletionTimestamp == nil && s.observed.Owns(p) {
			address := net.JoinHostPort(p.Status.PodIP, strconv.Itoa(resources.MetricsPort))
			pods = append(pods, podwatch.Pod{Name: p.Name, Address: address})
		}
	}
	slices.SortFunc(pods, func(a, b podwatch.Pod) int { return strings.Compare(a.Name, b.Name) })
	r.Pods.Set(s.key, pods)
	s.workers = r.Pods.Facts(s.key)
	s.observed.Kafka.Waiting = s.workers.Waiting
	s.observed.Kafka.Stuck = s.stillStuck(stuckPartitions(s.workers.Stuck), r.Clock.Now())
	s.observed.Kafka.Losses = losses(s.sp.Status.Losses, s.workers.Losses, r.Clock.Now())
}
