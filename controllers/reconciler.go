package controllers

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/worker/config"
)

// Reconciler makes the cluster run what StreamProcessors ask for. Its fields are
// set before SetupWithManager and not changed after.
type Reconciler struct {
	// Client reads from the manager's cache.
	Client client.Client
	// Reader asks the API server.
	Reader client.Reader
	// References is made by NewReferences.
	References cache.Cache
	Events     events.EventRecorder
	Kafka      KafkaWatch
	Pods       PodWatch
	Clock      clock.PassiveClock
	// CheckExpressions tells what is wrong with the built-in processor's
	// expressions, each error beginning with the field's path in a worker's
	// configuration. Without it nothing is.
	CheckExpressions func(config.CEL) error
	// Metrics take what is found; nil for none.
	Metrics *Metrics
	// Environment is what is the same for all StreamProcessors.
	Environment plan.Environment

	// Search is how the pods' names of brokers are resolved.
	Search dial.Search

	// MaxRollouts is how many StreamProcessors may roll at the same time because of a
	// change of the operator itself; 0 for any number.
	MaxRollouts int
	// Operator is the namespace that this operator runs in, which is that of its lease.
	// Without it the reconciler takes charge of no StreamProcessor for good, and still
	// leaves alone those of other operators.
	Operator string

	memories memories
	turns    turns
	overlap  overlap
	claims   claims
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, err := r.fetch(ctx, req)
	if s == nil || err != nil {
		return ctrl.Result{}, err
	}
	if mine, err := r.takeCharge(ctx, s); !mine {
		return s.result(err)
	}
	phases := []phase{r.keepFinalizer, r.observe, r.scale, r.decide, r.stagger, r.apply, r.resize}
	if s.sp.DeletionTimestamp != nil {
		phases = []phase{r.giveUp, r.observe, r.decide, r.stagger, r.finalize}
	}
	for _, do := range phases {
		if err = do(ctx, s); err != nil {
			break
		}
	}
	// How it stands is told even when something went wrong, as far as it is known.
	err = errors.Join(err, r.report(ctx, s))
	if err != nil {
		r.Metrics.failed(s.key)
	}
	return s.result(err)
}

// fetch returns nil for a StreamProcessor that is gone.
func (r *Reconciler) fetch(ctx context.Context, req ctrl.Request) (*scope, error) {
	sp := &v1alpha1.StreamProcessor{}
	err := r.Client.Get(ctx, req.NamespacedName, sp)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("read the StreamProcessor: %w", err)
	case err != nil:
		r.forget(req)
		r.overlap.note(req.NamespacedName, "")
		return nil, nil
	}
	s := &scope{
		key: req.NamespacedName, sp: sp, memory: r.memories.get(req.NamespacedName, r.Clock.Now()),
		live: map[string]client.Object{}, files: map[string][]byte{},
	}
	s.sp.Default()
	s.observed.Processor, s.observed.Now = s.sp, r.Clock.Now()
	s.observed.Environment = r.Environment
	return s, nil
}

func (r *Reconciler) forget(req ctrl.Request) {
	r.Kafka.Forget(req.NamespacedName)
	r.Pods.Forget(req.NamespacedName)
	r.memories.forget(req.NamespacedName)
	r.claims.release(req.NamespacedName)
	r.Metrics.forget(req.NamespacedName)
	r.turns.forget(req.NamespacedName, r.Clock.Now())
}

// decide is the pure part, and the claim of the group.
func (r *Reconciler) decide(_ context.Context, s *scope) error {
	s.plan, s.decided = plan.Make(s.observed), true
	r.claimGroup(s)
	return nil
}
