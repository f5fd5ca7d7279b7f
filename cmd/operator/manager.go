package main

import (
	"fmt"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/millrace-dev/millrace/controllers"
)

// identity returns the namespace of the operator's lease, which shows operators in other
// namespaces that this one is alive; "" without a lease.
func identity(o *options) (string, error) {
	switch {
	case !o.leaderElect:
		return "", nil
	case o.leaderNamespace != "":
		return o.leaderNamespace, nil
	}
	content, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return "", fmt.Errorf("find the pod's namespace; --leader-elect-namespace names it: %w", err)
	}
	return string(content), nil
}

func managerOptions(o *options) ctrl.Options {
	opts := ctrl.Options{
		Scheme:                  scheme(),
		HealthProbeBindAddress:  o.healthAddress,
		LeaderElection:          o.leaderElect,
		LeaderElectionID:        controllers.LeaseName,
		LeaderElectionNamespace: o.leaderNamespace,
		LeaderElectionLabels:    map[string]string{controllers.ScopeLabel: controllers.Scope(o.namespaces)},
		// The next leader need not wait until the lease expires.
		LeaderElectionReleaseOnCancel: true,
		Metrics: metricsserver.Options{
			BindAddress: o.metricsAddress, SecureServing: o.metricsSecure,
		},
		Cache: controllers.CacheOptions(o.namespaces),
	}
	if o.metricsSecure {
		opts.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return opts
}
