package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/dial"
)

// options are the flags of the command line.
type options struct {
	workerImage      string
	workerLogLevel   string
	metricsAddress   string
	metricsSecure    bool
	healthAddress    string
	leaderElect      bool
	leaderNamespace  string
	namespaces       []string
	pollInterval     time.Duration
	networkPolicies  bool
	maxRollouts      int
	podMonitors      bool
	podMonitorLabels map[string]string
	allowedBrokers   []string
	deniedBrokers    []string
	logFormat        string
	logLevel         int
}

func defaults() *options {
	return &options{
		metricsAddress: ":8443", metricsSecure: true, healthAddress: ":8081",
		pollInterval: 5 * time.Second, logFormat: "json",
		podMonitors:    true,
		workerLogLevel: string(v1alpha1.LogInfo), deniedBrokers: dial.DeniedByDefault(),
		maxRollouts: 5,
	}
}

// addTo adds the flags.
func (o *options) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&o.workerImage, "worker-image", o.workerImage, "image that runs the built-in processors (required)")
	flags.StringVar(&o.workerLogLevel, "worker-log-level", o.workerLogLevel, "log level of workers whose StreamProcessor sets no spec.logLevel: Info or Debug")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", o.metricsAddress, "address for /metrics; 0 for none")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", o.metricsSecure, "serve metrics over HTTPS, to clients that the API server allows to read them")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", o.healthAddress, "address for /healthz and /readyz")
	flags.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "elect a leader, so that only one of several operators acts")
	flags.StringVar(&o.leaderNamespace, "leader-elect-namespace", o.leaderNamespace, "namespace of the lease (default: the pod's)")
	flags.StringSliceVar(&o.namespaces, "namespaces", o.namespaces, "namespaces to look after (default: all)")
	flags.DurationVar(&o.pollInterval, "poll-interval", o.pollInterval, "time between two polls of a Kafka cluster")
	flags.BoolVar(&o.networkPolicies, "network-policies", o.networkPolicies, "create a NetworkPolicy for each StreamProcessor's pods")
	flags.BoolVar(&o.podMonitors, "pod-monitors", o.podMonitors, "create a PodMonitor for each StreamProcessor's pods where the Prometheus operator is installed")
	flags.StringToStringVar(&o.podMonitorLabels, "pod-monitor-labels", o.podMonitorLabels, "more labels for the PodMonitors, as NAME=VALUE, for a Prometheus that selects PodMonitors by labels")
	flags.StringSliceVar(&o.allowedBrokers, "allowed-brokers", o.allowedBrokers, "addresses, ranges, names and *.NAME of the brokers that the operator may connect to (default: all that are not denied)")
	flags.StringSliceVar(&o.deniedBrokers, "denied-brokers", o.deniedBrokers, "addresses, ranges, names and *.NAME that the operator never connects to, even if they are allowed; the API server is always denied")
	flags.IntVar(&o.maxRollouts, "rollouts-max-concurrent", o.maxRollouts, "number of StreamProcessors that may replace their pods at the same time because of a change of the operator, such as its upgrade; 0 for any number")
	flags.StringVar(&o.logFormat, "log-format", o.logFormat, "json or text")
	flags.IntVar(&o.logLevel, "log-level", o.logLevel, "verbosity of the log: 0 logs changes, 1 logs more")
}

func (o *options) validate() error {
	var errs []error
	if o.workerImage == "" {
		errs = append(errs, errors.New("--worker-image is not set: name the image of this version's worker"))
	}
	if o.pollInterval < time.Second {
		errs = append(errs, fmt.Errorf("--poll-interval is %v: it must be 1s or more", o.pollInterval))
	}
	if o.maxRollouts < 0 {
		errs = append(errs, fmt.Errorf("--rollouts-max-concurrent is %d: it must be 0 or more", o.maxRollouts))
	}
	if o.logFormat != "json" && o.logFormat != "text" {
		errs = append(errs, fmt.Errorf("--log-format is %q: it must be json or text", o.logFormat))
	}
	if l := v1alpha1.LogLevel(o.workerLogLevel); l != v1alpha1.LogInfo && l != v1alpha1.LogDebug {
		errs = append(errs, fmt.Errorf("--worker-log-level is %q: it must be Info or Debug", o.workerLogLevel))
	}
	if _, err := dial.NewPolicy(o.allowedBrokers, nil); err != nil {
		errs = append(errs, fmt.Errorf("--allowed-brokers: %w", err))
	}
	if _, err := dial.NewPolicy(nil, o.deniedBrokers); err != nil {
		errs = append(errs, fmt.Errorf("--denied-brokers: %w", err))
	}
	return errors.Join(append(errs, checkLabels("--pod-monitor-labels", o.podMonitorLabels)...)...)
}

// checkLabels returns the reasons why the API server would refuse the labels, with the
// flag's name.
func checkLabels(flag string, labels map[string]string) (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		for _, complaint := range append(validation.IsQualifiedName(name), validation.IsValidLabelValue(value)...) {
			errs = append(errs, fmt.Errorf("%s has %s=%s: %s", flag, name, value, complaint))
		}
	}
	return errs
}
