package main

import (
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/millrace-dev/millrace/controllers"
)

// leaseName is the same for all operators that might act on the same objects.
const leaseName = "millrace-operator.millrace.dev"

func managerOptions(o *options) ctrl.Options {
	opts := ctrl.Options{
		Scheme:                  scheme(),
		HealthProbeBindAddress:  o.healthAddress,
		LeaderElection:          o.leaderElect,
		LeaderElectionID:        leaseName,
		LeaderElectionNamespace: o.leaderNamespace,
		// The next leader need not wait for the lease to run out.
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
