package controllers

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// groupIndex finds StreamProcessors by their consumer group.
const groupIndex = "group"

// groupKeys are the places in the index: one for each broker that is named, since
// two StreamProcessors may name different ones of a cluster. Those that have none
// in common are taken to be on different clusters.
func groupKeys(object client.Object) []string {
	sp, ok := object.(*v1alpha1.StreamProcessor)
	if !ok {
		return nil
	}
	keys := make([]string, 0, len(sp.Spec.Kafka.BootstrapServers))
	for _, server := range sp.Spec.Kafka.BootstrapServers {
		keys = append(keys, strings.ToLower(server)+"|"+resources.GroupID(sp))
	}
	return keys
}

// sameGroup lists the others that use the consumer group of sp.
func (r *Reconciler) sameGroup(ctx context.Context, sp *v1alpha1.StreamProcessor) ([]v1alpha1.StreamProcessor, error) {
	var others []v1alpha1.StreamProcessor
	seen := map[types.UID]bool{sp.UID: true}
	for _, key := range groupKeys(sp) {
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

// observeGroup finds the one that has the group: the oldest.
func (r *Reconciler) observeGroup(ctx context.Context, s *scope) error {
	others, err := r.sameGroup(ctx, s.sp)
	if err != nil {
		return err
	}
	oldest := s.sp
	for i := range others {
		if older(&others[i], oldest) {
			oldest = &others[i]
		}
	}
	if oldest != s.sp {
		s.observed.GroupOwner = client.ObjectKeyFromObject(oldest).String()
	}
	return nil
}

// older orders by age, and those made within the same second by their UID, which
// all reconciliations see alike.
func older(a, b *v1alpha1.StreamProcessor) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.UID < b.UID
}

// sharers are to be looked at again when object has changed or gone: it may have
// let go of their group, or taken it.
func (r *Reconciler) sharers(ctx context.Context, object client.Object) []reconcile.Request {
	sp, ok := object.(*v1alpha1.StreamProcessor)
	if !ok {
		return nil
	}
	others, err := r.sameGroup(ctx, sp)
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
