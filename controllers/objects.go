package controllers

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// objects finds the objects that exist for a StreamProcessor.
type objects struct {
	client      client.Client
	reader      client.Reader
	environment plan.Environment
}

// ownedTypes returns an empty object of each kind that a plan may contain.
func ownedTypes(env plan.Environment) map[string]client.Object {
	owned := map[string]client.Object{
		"ServiceAccount":      &corev1.ServiceAccount{},
		"ConfigMap":           &corev1.ConfigMap{},
		"Service":             &corev1.Service{},
		"PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
		"NetworkPolicy":       &networkingv1.NetworkPolicy{},
		"Deployment":          &appsv1.Deployment{},
	}
	if env.HasPodMonitors {
		monitor := &unstructured.Unstructured{}
		monitor.SetGroupVersionKind(resources.PodMonitorKind)
		owned[resources.PodMonitorKind.Kind] = monitor
	}
	return owned
}

// observe finds the objects that exist under our names.
func (o *objects) observe(ctx context.Context, s *scope) error {
	for kind, object := range ownedTypes(o.environment) {
		if kind == "ConfigMap" {
			continue // their names have a hash
		}
		if err := o.observeOne(ctx, s, kind, resources.Name(s.sp), object); err != nil {
			return err
		}
	}
	if err := o.observeConfigMaps(ctx, s); err != nil {
		return err
	}
	// Messages list them, and must not change from one look to the next.
	slices.Sort(s.observed.Foreign)
	slices.Sort(s.observed.Leaving)
	if d, ok := s.live["Deployment "+resources.Name(s.sp)].(*appsv1.Deployment); ok {
		s.observed.Deployment = d
	}
	return nil
}

// observeConfigMaps finds the ConfigMaps of the wanted configuration.
func (o *objects) observeConfigMaps(ctx context.Context, s *scope) error {
	s.observed.Expressions.Wanted = resources.ExpressionsVersion(s.sp, nil)
	file, expressions, err := resources.ConfigMapsOf(s.sp, resources.Inputs{
		WorkerImage: o.environment.WorkerImage, LogLevel: o.environment.WorkerLogLevel,
	})
	if err != nil {
		return nil // the plan names the mistake in the spec
	}
	for _, name := range []string{file, expressions} {
		if name == "" {
			continue
		}
		if err := o.observeOne(ctx, s, "ConfigMap", name, &corev1.ConfigMap{}); err != nil {
			return err
		}
	}
	if live, ok := s.live["ConfigMap "+expressions].(*corev1.ConfigMap); ok {
		s.observed.Expressions.Live, s.observed.Expressions.Wanted = live, resources.ExpressionsVersion(s.sp, live)
	}
	return nil
}

// observeOne finds an object of that name, and its owner.
func (o *objects) observeOne(ctx context.Context, s *scope, kind, name string, object client.Object) error {
	found, err := o.find(ctx, types.NamespacedName{Namespace: s.sp.Namespace, Name: name}, object)
	if err != nil {
		return fmt.Errorf("look up %s %s: %w", kind, name, err)
	}
	described := kind + " " + name
	switch {
	case !found:
	case isOwned(s.sp, object), isOrphan(s.sp, object):
		s.live[described] = object
	case isPredecessors(s.sp, object):
		s.waitFor(goneInterval)
		s.observed.Leaving = append(s.observed.Leaving, described)
	default:
		s.observed.Foreign = append(s.observed.Foreign, described)
	}
	return nil
}

// find looks into the cache, which holds only objects with our label. If the cache has
// nothing, it asks the API server: somebody else's object may have the name. In the
// steady state the cache has everything.
func (o *objects) find(ctx context.Context, key types.NamespacedName, object client.Object) (bool, error) {
	err := o.client.Get(ctx, key, object)
	if apierrors.IsNotFound(err) && o.mayExist(object) {
		err = o.reader.Get(ctx, key, object)
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// mayExist reports whether the API server has to be asked about an object that the
// cache does not hold. For kinds that are switched off only ours matter, and the cache
// holds those.
func (o *objects) mayExist(object client.Object) bool {
	switch object.(type) {
	case *networkingv1.NetworkPolicy:
		return o.environment.NetworkPolicies
	case *unstructured.Unstructured:
		return o.environment.PodMonitors
	}
	return true
}

// observePods finds the pods with the StreamProcessor's labels.
func (o *objects) observePods(ctx context.Context, s *scope) error {
	var pods corev1.PodList
	err := o.client.List(ctx, &pods, client.InNamespace(s.sp.Namespace), client.MatchingLabels(resources.Selector(s.sp.Name)))
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	// A pod that has ended is only kept for its logs.
	s.observed.Pods = slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	return nil
}

// observeReplicaSets finds the Deployment's ReplicaSets. They distinguish its pods from
// others with the same labels, and present pods from those that are being replaced. The
// cache holds their metadata only.
func (o *objects) observeReplicaSets(ctx context.Context, s *scope) error {
	if s.observed.Deployment == nil {
		return nil
	}
	sets := &metav1.PartialObjectMetadataList{}
	sets.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"))
	err := o.client.List(ctx, sets, client.InNamespace(s.sp.Namespace), client.MatchingLabels(resources.Selector(s.sp.Name)))
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

// isOwned reports whether the StreamProcessor controls an object.
func isOwned(sp *v1alpha1.StreamProcessor, object client.Object) bool {
	return metav1.IsControlledBy(object, sp)
}

// isPredecessors reports whether an object belongs to an earlier StreamProcessor with
// the same name. The garbage collector is about to delete it.
func isPredecessors(sp *v1alpha1.StreamProcessor, object client.Object) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.Kind == v1alpha1.Kind && owner.Name == sp.Name && owner.UID != sp.UID
}

// isOrphan reports whether an object was made for a StreamProcessor with this name and
// has no owner. A deletion with --cascade=orphan leaves such objects; the operator
// adopts them.
func isOrphan(sp *v1alpha1.StreamProcessor, object client.Object) bool {
	labels := labels.Set(object.GetLabels())
	return len(object.GetOwnerReferences()) == 0 && object.GetDeletionTimestamp() == nil &&
		resources.Selector(sp.Name).AsSelector().Matches(labels) && resources.Managed().AsSelector().Matches(labels)
}
