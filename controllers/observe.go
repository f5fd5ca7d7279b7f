package controllers

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
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
	for _, look := range []phase{r.observeObjects, r.observePods, r.observeSecrets, r.observeGroup} {
		if err := look(ctx, s); err != nil {
			return err
		}
	}
	r.observeExpressions(s)
	r.observeKafka(s)
	r.observeWorkers(s)
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

// observeWorkers has the running pods asked, and takes from what they said last
// the partitions that don't get on and what Kafka lost.
func (r *Reconciler) observeWorkers(s *scope) {
	var pods []podwatch.Pod
	for i := range s.observed.Pods {
		if p := &s.observed.Pods[i]; p.Status.PodIP != "" && p.DeletionTimestamp == nil {
			address := net.JoinHostPort(p.Status.PodIP, strconv.Itoa(resources.MetricsPort))
			pods = append(pods, podwatch.Pod{Name: p.Name, Address: address})
		}
	}
	slices.SortFunc(pods, func(a, b podwatch.Pod) int { return strings.Compare(a.Name, b.Name) })
	r.Pods.Set(s.key, pods)
	s.workers = r.Pods.Facts(s.key)
	s.observed.Kafka.Stuck = stuckPartitions(s.workers.Stuck)
	s.observed.Kafka.Losses = losses(s.sp.Status.Losses, s.workers.Losses, r.Clock.Now())
}
