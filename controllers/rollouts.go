package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// rollouts gives turns to the rollouts that the operator itself causes.
type rollouts struct {
	client client.Client
	clock  clock.PassiveClock
	turns  turns
}

func (r *rollouts) forget(key types.NamespacedName) { r.turns.forget(key, r.clock.Now()) }

// stagger has a rollout that the operator itself causes wait for its turn, and ends the
// turn of one that is over.
func (r *rollouts) stagger(ctx context.Context, s *scope) error {
	now := r.clock.Now()
	if !s.plan.Rollout.Turn {
		d, p, over := s.observed.Deployment, progress{}, true
		if d != nil {
			p, over = progressOf(d), rolledOut(d) || s.observed.Held() == 0 || s.sp.DeletionTimestamp != nil
		}
		if again := r.turns.follow(s.key, p, over, now); again > 0 {
			s.waitFor(again)
		}
		return nil
	}
	if r.turns.needsSeed() {
		under, err := r.underWay(ctx)
		if err != nil {
			return err
		}
		r.turns.seed(under, now)
	}
	mayRoll, again := r.turns.ask(s.key, now)
	if !mayRoll {
		s.plan.Await()
	}
	if again > 0 {
		s.waitFor(again)
	}
	return nil
}

// underWay lists the StreamProcessors whose rollout is not over.
func (r *rollouts) underWay(ctx context.Context) ([]types.NamespacedName, error) {
	var all appsv1.DeploymentList
	if err := r.client.List(ctx, &all, client.MatchingLabels(resources.Managed())); err != nil {
		return nil, fmt.Errorf("list the Deployments that roll: %w", err)
	}
	var under []types.NamespacedName
	for i := range all.Items {
		if d := &all.Items[i]; !rolledOut(d) && *d.Spec.Replicas > 0 {
			under = append(under, types.NamespacedName{Namespace: d.Namespace, Name: d.Labels[resources.InstanceLabel]})
		}
	}
	return under, nil
}
