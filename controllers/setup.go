package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// atOnce is how many StreamProcessors are reconciled at the same time. Nothing in
// a reconciliation waits for Kafka or for pods, so a few are many.
const atOnce = 4

// SetupWithManager has the manager run the reconciler, and wakes call it for what
// the pollers have found.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, wakes *Wakes) error {
	r.turns.most, r.turns.wake = r.MaxRollouts, wakes.Wake
	index := mgr.GetFieldIndexer()
	if err := index.IndexField(ctx, &v1alpha1.StreamProcessor{}, groupIndex, r.groupKeys); err != nil {
		return fmt.Errorf("index StreamProcessors by group: %w", err)
	}
	if err := index.IndexField(ctx, &v1alpha1.StreamProcessor{}, referenceIndex, referenceKeys); err != nil {
		return fmt.Errorf("index StreamProcessors by what they refer to: %w", err)
	}
	build := ctrl.NewControllerManagedBy(mgr).Named("streamprocessor").
		// What else changes is the status, which is our own.
		For(&v1alpha1.StreamProcessor{}, builder.WithPredicates(predicate.Or[client.Object](
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&v1alpha1.StreamProcessor{}, handler.EnqueueRequestsFromMapFunc(r.neighbours),
			builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, groupChanged))).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&corev1.Service{}).
		Owns(&policyv1.PodDisruptionBudget{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&networkingv1.NetworkPolicy{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(podOwner)).
		// A pod may be seen before its ReplicaSet is, and a ReplicaSet that goes may be
		// the last one that refers to a file.
		WatchesMetadata(&appsv1.ReplicaSet{}, handler.EnqueueRequestsFromMapFunc(podOwner), builder.WithPredicates(comingAndGoing)).
		WatchesRawSource(wakes.source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: atOnce})
	for _, kind := range referenceKinds {
		build = build.WatchesRawSource(r.referenceSource(kind))
	}
	if r.Environment.HasPodMonitors {
		build = build.Owns(r.ownedTypes()[resources.PodMonitorKind.Kind])
	}
	return build.Complete(r)
}

// comingAndGoing leaves out what happens to objects in between.
var comingAndGoing = predicate.Funcs{
	UpdateFunc: func(event.UpdateEvent) bool { return false },
}

// groupChanged lets through what matters to those who wait for a group.
var groupChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1alpha1.StreamProcessor)
	after, okToo := e.ObjectNew.(*v1alpha1.StreamProcessor)
	return ok && okToo && !equality.Semantic.DeepEqual(before.Status.Group, after.Status.Group)
}}

// podOwner goes by the label: a pod is owned by a ReplicaSet.
func podOwner(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[resources.InstanceLabel]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}
