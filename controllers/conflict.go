package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// groupIndex finds StreamProcessors by their consumer group.
const groupIndex = "group"

// groupKeys are the places in the index: for the group in the spec and the one that
// is held, one for each name that a broker may be known by. Two StreamProcessors may
// name different brokers of a cluster; those that have none in common are taken to be
// on different clusters.
func (r *Reconciler) groupKeys(object client.Object) []string {
	sp, ok := object.(*v1alpha1.StreamProcessor)
	if !ok {
		return nil
	}
	groups := []v1alpha1.HeldGroup{wantedGroup(sp)}
	if held := sp.Status.Group; held != nil {
		groups = append(groups, *held)
	}
	var keys []string
	for _, group := range groups {
		for _, server := range group.BootstrapServers {
			for _, name := range r.Search.Keys(server, sp.Namespace) {
				keys = append(keys, name+"|"+group.GroupID)
			}
		}
	}
	return keys
}

// wantedGroup is the group that the spec asks for.
func wantedGroup(sp *v1alpha1.StreamProcessor) v1alpha1.HeldGroup {
	return v1alpha1.HeldGroup{GroupID: resources.GroupID(sp), BootstrapServers: sp.Spec.Kafka.BootstrapServers}
}

// sharers lists the others that hold, or want, the group that sp wants or holds.
func (r *Reconciler) sharers(ctx context.Context, sp *v1alpha1.StreamProcessor) ([]v1alpha1.StreamProcessor, error) {
	var others []v1alpha1.StreamProcessor
	seen := map[types.UID]bool{sp.UID: true}
	for _, key := range r.groupKeys(sp) {
		var list v1alpha1.StreamProcessorList
		if err := r.Client.List(ctx, &list, client.MatchingFields{groupIndex: key}); err != nil {
			return nil, fmt.Errorf("list the StreamProcessors of a consumer group: %w", err)
		}
		for _, other := range list.Items {
			if !seen[other.UID] {
				seen[other.UID] = true
				others = append(others, other)
			}
		}
	}
	return others, nil
}

// observeGroup finds the one that holds the group. One that holds it already keeps
// it, whatever others ask for, and those of other namespaces never take it away: they
// could stop what they may not even see.
func (r *Reconciler) observeGroup(ctx context.Context, s *scope) error {
	others, err := r.sharers(ctx, s.sp)
	if err != nil {
		return err
	}
	mine := r.holds(s.sp, s.sp)
	for i := range others {
		other := &others[i]
		switch held, err := r.uses(ctx, other, s.sp); {
		case err != nil:
			return err
		case !held:
		case mine || other.Namespace != s.sp.Namespace:
			s.observed.GroupShared = true
		case s.observed.GroupOwner == "" || other.Name < s.observed.GroupOwner:
			s.observed.GroupOwner = other.Name
		}
	}
	return nil
}

// holds reports whether a StreamProcessor is recorded to hold the group that sp wants.
func (r *Reconciler) holds(other, sp *v1alpha1.StreamProcessor) bool {
	held, wanted := other.Status.Group, wantedGroup(sp)
	return held != nil && held.GroupID == wanted.GroupID &&
		r.Search.SameServers(held.BootstrapServers, other.Namespace, wanted.BootstrapServers, sp.Namespace)
}

// uses reports whether another StreamProcessor holds the group that sp wants. An
// operator that ended between starting the first pods and recording that has left
// pods without a record: while there is none for any group, they count.
func (r *Reconciler) uses(ctx context.Context, other, sp *v1alpha1.StreamProcessor) (bool, error) {
	if other.Status.Group != nil {
		return r.holds(other, sp), nil
	}
	d := &appsv1.Deployment{}
	key := types.NamespacedName{Namespace: other.Namespace, Name: resources.Name(other)}
	if err := r.Client.Get(ctx, key, d); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return metav1.IsControlledBy(d, other) && d.Spec.Replicas != nil && *d.Spec.Replicas > 0, nil
}

// claimGroup takes the group for pods that are to run: two that are reconciled at the
// same time must not both find it free.
func (r *Reconciler) claimGroup(s *scope) {
	if !s.runs() {
		return
	}
	owner := r.claims.take(s.key, wantedGroup(s.sp), r.Search)
	if owner != "" {
		s.observed.GroupOwner = owner
		s.plan = plan.Make(s.observed)
		// The owner's status wakes this one, unless it was written before.
		s.waitFor(gone)
	}
}

// runs reports whether the plan has pods run with the group that the spec asks for.
func (s *scope) runs() bool {
	return s.observed.GroupOwner == "" && s.plan.Replicas.Count > 0 && len(s.plan.Apply) > 0
}

// recordGroup puts the held group into the status: from the first pod on, until none
// is left and none is to come.
func (r *Reconciler) recordGroup(s *scope) {
	group, wanted := &s.sp.Status.Group, wantedGroup(s.sp)
	running := len(s.observed.Pods) > 0 || s.observed.Held() > 0
	switch {
	case s.runs():
		*group = &wanted
	case running:
	case s.sp.Spec.Suspend || s.sp.DeletionTimestamp != nil || *group != nil && (*group).GroupID != wanted.GroupID:
		*group = nil
		r.claims.release(s.key)
	}
}

// keepsGroup returns who else uses, or wants, the group that sp wants, "" if nobody
// does. The offsets of one that is suspended are its own too.
func (r *Reconciler) keepsGroup(ctx context.Context, sp *v1alpha1.StreamProcessor) (string, error) {
	others, err := r.sharers(ctx, sp)
	for i := range others {
		other := &others[i]
		if other.DeletionTimestamp != nil && other.Spec.DeletionPolicy == v1alpha1.DeleteGroup {
			continue // it would delete the group itself
		}
		wanted := other.DeepCopy()
		wanted.Status.Group = new(wantedGroup(other))
		if r.holds(other, sp) || r.holds(wanted, sp) {
			if other.Namespace == sp.Namespace {
				return "StreamProcessor " + other.Name, nil
			}
			return "another StreamProcessor", nil
		}
	}
	return "", err
}

// neighbours are to be looked at again when object has changed or gone: it may have
// let go of their group, or taken it.
func (r *Reconciler) neighbours(ctx context.Context, object client.Object) []reconcile.Request {
	sp, ok := object.(*v1alpha1.StreamProcessor)
	if !ok {
		return nil
	}
	others, err := r.sharers(ctx, sp)
	if err != nil {
		return nil // of the cache: it can't be had before it is filled, and then all are looked at
	}
	return requestsFor(others)
}

func requestsFor(list []v1alpha1.StreamProcessor) []reconcile.Request {
	requests := make([]reconcile.Request, len(list))
	for i := range list {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&list[i])
	}
	return requests
}
