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
	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// groupIndex is the index of StreamProcessors by their consumer group.
const groupIndex = "group"

// groups decides which StreamProcessor of a namespace holds a consumer group.
type groups struct {
	client client.Client
	search dial.Search
	claims claims
}

func (g *groups) forget(key types.NamespacedName) { g.claims.release(key) }

// indexKeys returns the keys in groupIndex: for the spec's group and for the held one,
// one key for each name that a broker may have. Two StreamProcessors may name different
// brokers of a cluster; if they have none in common, they count as on different clusters.
func (g *groups) indexKeys(object client.Object) []string {
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
			for _, name := range g.search.Keys(server, sp.Namespace) {
				keys = append(keys, name+"|"+group.GroupID)
			}
		}
	}
	return keys
}

// wantedGroup returns the group that the spec asks for.
func wantedGroup(sp *v1alpha1.StreamProcessor) v1alpha1.HeldGroup {
	return v1alpha1.HeldGroup{GroupID: resources.GroupID(sp), BootstrapServers: sp.Spec.Kafka.BootstrapServers}
}

// withSameGroup lists the other StreamProcessors that hold or want the group that sp
// wants or holds.
func (g *groups) withSameGroup(ctx context.Context, sp *v1alpha1.StreamProcessor) ([]v1alpha1.StreamProcessor, error) {
	var others []v1alpha1.StreamProcessor
	seen := map[types.UID]bool{sp.UID: true}
	for _, key := range g.indexKeys(sp) {
		var list v1alpha1.StreamProcessorList
		if err := g.client.List(ctx, &list, client.MatchingFields{groupIndex: key}); err != nil {
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

// observe finds the StreamProcessor that holds the group. It keeps the group whatever
// others ask for. Those of other namespaces never take the group away: they could stop
// pods that they may not even see.
func (g *groups) observe(ctx context.Context, s *scope) error {
	others, err := g.withSameGroup(ctx, s.sp)
	if err != nil {
		return err
	}
	mine := g.holds(s.sp, s.sp)
	for i := range others {
		other := &others[i]
		switch held, err := g.uses(ctx, other, s.sp); {
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

// holds reports whether the status of other says that it holds the group that sp wants.
func (g *groups) holds(other, sp *v1alpha1.StreamProcessor) bool {
	held, wanted := other.Status.Group, wantedGroup(sp)
	return held != nil && held.GroupID == wanted.GroupID &&
		g.search.SameServers(held.BootstrapServers, other.Namespace, wanted.BootstrapServers, sp.Namespace)
}

// uses reports whether other holds the group that sp wants. An operator that ended
// after it started the first pods and before it wrote the status has left pods without
// a record. As long as the status names no group, such pods count.
func (g *groups) uses(ctx context.Context, other, sp *v1alpha1.StreamProcessor) (bool, error) {
	if other.Status.Group != nil {
		return g.holds(other, sp), nil
	}
	d := &appsv1.Deployment{}
	key := types.NamespacedName{Namespace: other.Namespace, Name: resources.Name(other)}
	if err := g.client.Get(ctx, key, d); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return metav1.IsControlledBy(d, other) && d.Spec.Replicas != nil && *d.Spec.Replicas > 0, nil
}

// claim claims the group before pods start. Two StreamProcessors that are reconciled at
// the same time must not both find it free.
func (g *groups) claim(s *scope) {
	if !s.runsPods() {
		return
	}
	owner := g.claims.claim(s.key, wantedGroup(s.sp), g.search)
	if owner != "" {
		s.observed.GroupOwner = owner
		s.plan = plan.Make(s.observed)
		// The owner's status wakes this one, unless it was written before.
		s.waitFor(goneInterval)
	}
}

// record writes the held group into the status, from the first pod until no pod is left
// and none is to start.
func (g *groups) record(s *scope) {
	group, wanted := &s.sp.Status.Group, wantedGroup(s.sp)
	running := len(s.observed.Pods) > 0 || s.observed.Held() > 0
	switch {
	case s.runsPods():
		*group = &wanted
	case running:
	case s.sp.Spec.Suspend || s.sp.DeletionTimestamp != nil || *group != nil && (*group).GroupID != wanted.GroupID:
		*group = nil
		g.claims.release(s.key)
	}
}

// otherUser names another StreamProcessor that uses or wants the group that sp wants; ""
// if there is none. A suspended one counts, since it resumes from the group's offsets.
func (g *groups) otherUser(ctx context.Context, sp *v1alpha1.StreamProcessor) (string, error) {
	others, err := g.withSameGroup(ctx, sp)
	for i := range others {
		other := &others[i]
		if other.DeletionTimestamp != nil && other.Spec.DeletionPolicy == v1alpha1.DeleteGroup {
			continue // it would delete the group itself
		}
		wanted := other.DeepCopy()
		wanted.Status.Group = new(wantedGroup(other))
		if g.holds(other, sp) || g.holds(wanted, sp) {
			if other.Namespace == sp.Namespace {
				return "StreamProcessor " + other.Name, nil
			}
			return "another StreamProcessor", nil
		}
	}
	return "", err
}

// neighbours returns the StreamProcessors to reconcile when object has changed or gone:
// it may have released their group, or taken it.
func (g *groups) neighbours(ctx context.Context, object client.Object) []reconcile.Request {
	sp, ok := object.(*v1alpha1.StreamProcessor)
	if !ok {
		return nil
	}
	others, err := g.withSameGroup(ctx, sp)
	if err != nil {
		return nil // the cache is not filled yet; afterwards all are reconciled
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
