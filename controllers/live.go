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

// ownedTypes are the types of what a plan may make.
func (r *Reconciler) ownedTypes() map[string]client.Object {
	owned := map[string]client.Object{
		"ServiceAccount":      &corev1.ServiceAccount{},
		"ConfigMap":           &corev1.ConfigMap{},
		"Service":             &corev1.Service{},
		"PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
		"NetworkPolicy":       &networkingv1.NetworkPolicy{},
		"Deployment":          &appsv1.Deployment{},
	}
	if r.Environment.HasPodMonitors {
		monitor := &unstructured.Unstructured{}
		monitor.SetGroupVersionKind(resources.PodMonitorKind)
		owned[resources.PodMonitorKind.Kind] = monitor
	}
	return owned
}

// observeObjects finds what exists under the names of ours.
func (r *Reconciler) observeObjects(ctx context.Context, s *scope) error {
	key := types.NamespacedName{Namespace: s.sp.Namespace}
	for kind, object := range r.ownedTypes() {
		key.Name = resources.Name(s.sp)
		if kind == "ConfigMap" {
			name, err := resources.ConfigMapOf(s.sp, r.Environment.WorkerLogLevel)
			if err != nil {
				continue // the plan says what is wrong with the spec
			}
			key.Name = name
		}
		found, err := r.find(ctx, key, object)
		if err != nil {
			return fmt.Errorf("look up %s %s: %w", kind, key.Name, err)
		}
		name := kind + " " + key.Name
		switch {
		case !found:
		case s.isOurs(object), s.isOrphan(object):
			s.live[name] = object
		case s.isPredecessors(object):
			s.waitFor(gone)
			s.observed.Leaving = append(s.observed.Leaving, name)
		default:
			s.observed.Foreign = append(s.observed.Foreign, name)
		}
	}
	// They are in messages, which must not differ from one look to the next.
	slices.Sort(s.observed.Foreign)
	slices.Sort(s.observed.Leaving)
	if d, ok := s.live["Deployment "+resources.Name(s.sp)].(*appsv1.Deployment); ok {
		s.observed.Deployment = d
	}
	return nil
}

// find looks into the cache, which holds what bears our label only, and asks the
// API server where that holds nothing: an object of that name may be somebody
// else's. In the steady state the cache holds all.
func (r *Reconciler) find(ctx context.Context, key types.NamespacedName, object client.Object) (bool, error) {
	err := r.Client.Get(ctx, key, object)
	if apierrors.IsNotFound(err) && r.mayExist(object) {
		err = r.Reader.Get(ctx, key, object)
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// mayExist spares the question for what is not asked for: if it were ours, the
// cache would hold it.
func (r *Reconciler) mayExist(object client.Object) bool {
	switch object.(type) {
	case *networkingv1.NetworkPolicy:
		return r.Environment.NetworkPolicies
	case *unstructured.Unstructured:
		return r.Environment.PodMonitors
	}
	return true
}

// isPredecessors reports whether an object belongs to an earlier StreamProcessor of
// the same name, and is about to be collected.
func (s *scope) isPredecessors(object client.Object) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.Kind == v1alpha1.Kind && owner.Name == s.sp.Name && owner.UID != s.sp.UID
}

// isOrphan reports whether an object was made for a StreamProcessor of this name and
// belongs to nobody, as a deletion with --cascade=orphan leaves it. It is adopted.
func (s *scope) isOrphan(object client.Object) bool {
	labels := labels.Set(object.GetLabels())
	return len(object.GetOwnerReferences()) == 0 && object.GetDeletionTimestamp() == nil &&
		resources.Selector(s.sp.Name).AsSelector().Matches(labels) && resources.Managed().AsSelector().Matches(labels)
}

func describe(object resources.Object) string { return plan.Describe(object) }
