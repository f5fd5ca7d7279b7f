package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/types"
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

// Options are the parts that a Reconciler works with.
type Options struct {
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
	// CheckExpressions returns the mistakes in the built-in processor's expressions.
	// Each error begins with the field's path in a worker's configuration. Without this
	// function the operator does not check expressions.
	CheckExpressions func(config.CEL) error
	// Metrics get the findings of each reconciliation; nil for none.
	Metrics *Metrics
	// Environment is the same for all StreamProcessors.
	Environment plan.Environment
	// Search resolves broker names as the pods do.
	Search dial.Search
	// MaxRollouts is the number of StreamProcessors that may roll at the same time
	// because of a change of the operator itself; 0 for any number.
	MaxRollouts int
	// Operator is the operator's own namespace, which its lease is in. Without it the
	// reconciler does not record that it takes care of a StreamProcessor, and still
	// leaves alone those of other operators.
	Operator string
}

// Reconciler makes the cluster run the StreamProcessors.
type Reconciler struct {
	client      client.Client
	clock       clock.PassiveClock
	metrics     *Metrics
	environment plan.Environment

	charge      *charge
	finalizers  *finalizers
	objects     *objects
	references  *references
	expressions *expressions
	kafka       *kafkaObserver
	workers     *workerObserver
	groups      *groups
	autoscaler  *autoscaler
	rollouts    *rollouts
	applier     *applier
	reloader    *reloader
	resizer     *resizer
	reporter    *reporter
}

// New returns a reconciler that SetupWithManager adds to a manager.
func New(o Options) *Reconciler {
	groups := &groups{client: o.Client, search: o.Search}
	r := &Reconciler{
		client: o.Client, clock: o.Clock, metrics: o.Metrics, environment: o.Environment,
		finalizers:  &finalizers{client: o.Client, reader: o.Reader, events: o.Events, clock: o.Clock, kafka: o.Kafka, groups: groups},
		objects:     &objects{client: o.Client, reader: o.Reader, environment: o.Environment},
		references:  &references{client: o.Client, reader: o.Reader, metadata: o.References},
		expressions: &expressions{check: o.CheckExpressions},
		kafka:       &kafkaObserver{watch: o.Kafka, clock: o.Clock},
		workers:     &workerObserver{watch: o.Pods, clock: o.Clock},
		groups:      groups,
		autoscaler:  &autoscaler{kafka: o.Kafka, clock: o.Clock},
		rollouts:    &rollouts{client: o.Client, clock: o.Clock, turns: turns{most: o.MaxRollouts}},
		applier:     &applier{client: o.Client, reader: o.Reader, clock: o.Clock},
		reloader:    &reloader{client: o.Client, clock: o.Clock},
		resizer:     &resizer{client: o.Client, clock: o.Clock},
		reporter:    &reporter{client: o.Client, events: o.Events, clock: o.Clock, metrics: o.Metrics, groups: groups},
	}
	r.charge = &charge{client: o.Client, reader: o.Reader, events: o.Events, clock: o.Clock, operator: o.Operator, forget: r.forget}
	return r
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, err := r.fetch(ctx, req)
	if s == nil || err != nil {
		return ctrl.Result{}, err
	}
	if mine, err := r.charge.takeCharge(ctx, s); !mine {
		return s.result(err)
	}
	for _, do := range r.phases(s.sp.DeletionTimestamp != nil) {
		if err = do(ctx, s); err != nil {
			break
		}
	}
	// A failed reconciliation reports too, as far as it came.
	err = errors.Join(err, r.reporter.report(ctx, s))
	if err != nil {
		r.metrics.failed(s.key)
	}
	return s.result(err)
}

// phase is a step of a reconciliation. An error ends the reconciliation; the manager
// logs the error, and tries again later.
type phase func(context.Context, *scope) error

// phases returns the steps for a StreamProcessor, or for one that is being deleted.
func (r *Reconciler) phases(deleted bool) []phase {
	if deleted {
		return []phase{r.finalizers.giveUp, r.observe, r.decide, r.rollouts.stagger, r.finalizers.finalize}
	}
	return []phase{
		r.finalizers.keepFinalizer, r.observe, r.autoscaler.scale, r.decide,
		r.rollouts.stagger, r.applier.apply, r.reloader.reload, r.resizer.resize,
	}
}

// fetch returns nil for a StreamProcessor that is gone.
func (r *Reconciler) fetch(ctx context.Context, req ctrl.Request) (*scope, error) {
	sp := &v1alpha1.StreamProcessor{}
	err := r.client.Get(ctx, req.NamespacedName, sp)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("read the StreamProcessor: %w", err)
	case err != nil:
		r.forget(req.NamespacedName)
		r.charge.note(req.NamespacedName, "")
		return nil, nil
	}
	sp.Default()
	s := &scope{
		key: req.NamespacedName, sp: sp, news: r.reporter.news(req.NamespacedName),
		live: map[string]client.Object{}, files: map[string][]byte{},
	}
	s.observed.Processor, s.observed.Now = sp, r.clock.Now()
	s.observed.Environment = r.environment
	return s, nil
}

// forget drops the state of a StreamProcessor that is gone, or that another operator
// takes care of.
func (r *Reconciler) forget(key types.NamespacedName) {
	for _, owner := range []interface{ forget(types.NamespacedName) }{
		r.references, r.expressions, r.kafka, r.workers, r.groups, r.autoscaler,
		r.rollouts, r.applier, r.resizer, r.reporter,
	} {
		owner.forget(key)
	}
	r.metrics.forget(key)
}

// observe gathers everything that the plan depends on, and tells the pollers which
// questions to ask.
func (r *Reconciler) observe(ctx context.Context, s *scope) error {
	for _, look := range []phase{
		r.objects.observe, r.objects.observeReplicaSets, r.objects.observePods, r.references.observe, r.groups.observe,
	} {
		if err := look(ctx, s); err != nil {
			return err
		}
	}
	r.expressions.observe(s)
	r.resizer.observe(s)
	r.kafka.observe(s)
	r.workers.observe(s)
	s.input().takeFromWorkersOrSpec()
	return nil
}

// decide makes the plan and claims the consumer group.
func (r *Reconciler) decide(_ context.Context, s *scope) error {
	s.plan, s.decided = plan.Make(s.observed), true
	r.groups.claim(s)
	return nil
}

// CheckOverlap fails while another operator takes care of StreamProcessors that this
// operator is told to look after. The operator is not ready then.
func (r *Reconciler) CheckOverlap(*http.Request) error { return r.charge.check() }
