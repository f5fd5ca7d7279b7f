package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

// run runs the operator until ctx is done.
func run(ctx context.Context, o *options) error {
	if err := o.validate(); err != nil {
		return err
	}
	ctrl.SetLogger(newLogger(o))
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	cfg.UserAgent = resources.Manager
	// The queue limits the requests already, and the API server shares itself out fairly.
	cfg.QPS = -1
	mgr, err := ctrl.NewManager(cfg, managerOptions(o))
	if err != nil {
		return fmt.Errorf("connect to the cluster: %w", err)
	}
	if err := add(ctx, mgr, o); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// scheme returns the types that the operator reads and writes.
func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// add adds the pollers, the reconciler and the checks to the manager.
func add(ctx context.Context, mgr ctrl.Manager, o *options) error {
	podMonitors, err := hasPodMonitors(mgr.GetRESTMapper())
	if err != nil {
		return err
	}
	network, err := brokerNetwork(ctx, o, mgr.GetConfig().Host)
	if err != nil {
		return err
	}
	references, err := controllers.NewReferences(mgr, o.namespaces)
	if err != nil {
		return err
	}
	namespace, err := identity(o)
	if err != nil {
		return err
	}
	wakes, figures := &controllers.Wakes{}, controllers.NewMetrics()
	kafka := kafkawatch.New(kafkawatch.Options{
		Interval: o.pollInterval, Wake: wakes.Wake, Observe: figures.Polled("kafka"), Network: network,
		Tokens: controllers.ServiceAccountTokens(mgr.GetClient()), Logger: mgr.GetLogger().WithName("kafka"),
	})
	pods := podwatch.New(podwatch.Options{
		Interval: o.pollInterval, Wake: wakes.Wake, Observe: figures.Polled("pods"), Logger: mgr.GetLogger().WithName("pods"),
	})
	reconciler := controllers.New(controllers.Options{
		Client: mgr.GetClient(), Reader: mgr.GetAPIReader(), References: references, Events: mgr.GetEventRecorder(resources.Manager),
		Kafka: kafka, Pods: pods, Clock: clock.RealClock{}, CheckExpressions: cel.Check, Metrics: figures,
		Search:      network.Search,
		MaxRollouts: o.maxRollouts, Operator: namespace,
		Environment: plan.Environment{
			WorkerImage: o.workerImage, WorkerLogLevel: v1alpha1.LogLevel(o.workerLogLevel),
			NetworkPolicies: o.networkPolicies, HasPodMonitors: podMonitors,
			PodMonitors: podMonitors && o.podMonitors, PodMonitorLabels: o.podMonitorLabels,
		},
	})
	return errors.Join(
		metrics.Registry.Register(figures),
		mgr.Add(kafka), mgr.Add(pods),
		reconciler.SetupWithManager(ctx, mgr, wakes),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("caches", cachesFilled(mgr)),
		mgr.AddReadyzCheck("overlap", reconciler.CheckOverlap),
	)
}

// hasPodMonitors reports whether the cluster has the Prometheus operator's kind. The
// operator looks once: to use a Prometheus operator that is installed later, restart it.
func hasPodMonitors(mapper meta.RESTMapper) (bool, error) {
	_, err := mapper.RESTMapping(resources.PodMonitorKind.GroupKind(), resources.PodMonitorKind.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	return err == nil, err
}

// cachesFilled returns a check that passes when the caches are filled. An operator that
// waits to become the leader passes too: it is ready to take over.
func cachesFilled(mgr ctrl.Manager) healthz.Checker {
	return func(req *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(req.Context()) {
			return errors.New("the caches are not filled yet")
		}
		return nil
	}
}

func newLogger(o *options) logr.Logger {
	opts := &slog.HandlerOptions{Level: slog.Level(-o.logLevel)}
	if o.logFormat == "text" {
		return logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, opts))
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, opts))
}
