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

// maxReconciles is the number of StreamProcessors that are reconciled at the same time. A
// few are enough, since no reconciliation waits for Kafka or for pods.
const maxReconciles = 4

// SetupWithManager has the manager run the reconciler, and wakes trigger it when the
// pollers have news.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, wakes *Wakes) error {
	r.rollouts.turns.wake = wakes.Wake
	index := mgr.GetFieldIndexer()
	if err := index.IndexField(ctx, &v1alpha1.StreamProcessor{}, groupIndex, r.groups.indexKeys); err != nil {
		return fmt.Errorf("index StreamProcessors by group: %w", err)
	}
	if err := index.IndexField(ctx, &v1alpha1.StreamProcessor{}, referenceIndex, referenceKeys); err != nil {
		return fmt.Errorf("index StreamProcessors by their Secrets and ConfigMaps: %w", err)
	}
	build := ctrl.NewControllerManagedBy(mgr).Named("streamprocessor").
		// The status is the operator's own, so its changes need no reconciliation.
		For(&v1alpha1.StreamProcessor{}, builder.WithPredicates(predicate.Or[client.Object](
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&v1alpha1.StreamProcessor{}, handler.EnqueueRequestsFromMapFunc(r.groups.neighbours),
			builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, groupChanged))).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&corev1.Service{}).
		Owns(&policyv1.PodDisruptionBudget{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&networkingv1.NetworkPolicy{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(podOwner)).
		// The cache may have a pod before its ReplicaSet, and a ReplicaSet that is deleted
		// may be the last one that refers to a file.
		WatchesMetadata(&appsv1.ReplicaSet{}, handler.EnqueueRequestsFromMapFunc(podOwner), builder.WithPredicates(comingAndGoing)).
		WatchesRawSource(wakes.source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxReconciles})
	for _, kind := range referenceKinds {
		build = build.WatchesRawSource(r.references.source(kind))
	}
	if r.environment.HasPodMonitors {
		build = build.Owns(ownedTypes(r.environment)[resources.PodMonitorKind.Kind])
	}
	return build.Complete(r)
}

// comingAndGoing passes the creation and deletion of objects, and no updates.
var comingAndGoing = predicate.Funcs{
	UpdateFunc: func(event.UpdateEvent) bool { return false },
}

// groupChanged passes updates that change the held group, which others may wait for.
var groupChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1alpha1.StreamProcessor)
	after, okToo := e.ObjectNew.(*v1alpha1.StreamProcessor)
	return ok && okToo && !equality.Semantic.DeepEqual(before.Status.Group, after.Status.Group)
}}

// podOwner finds the StreamProcessor by the label: a pod's owner is a ReplicaSet.
func podOwner(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[resources.InstanceLabel]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}
