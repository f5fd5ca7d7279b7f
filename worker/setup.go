package worker

import (
	"context"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/config"
)

// New builds a program's processor. ctx ends when the worker has to stop, so that New may
// take its time, as for loading a model. If the processor has a method Close() error, the
// worker calls it at the end, after the last record.
type New func(ctx context.Context, setup Setup) (Processor, error)

// Setup is what a worker gives to New.
type Setup struct {
	// Config is the worker's configuration, complete and valid.
	Config config.Config
	// Log is the worker's logger.
	Log logr.Logger
	// Metrics takes the metrics of the processor. The worker serves them at /metrics with
	// its own, whose names begin with millrace_. Each call of New gets another one, so it may
	// register the same names again.
	Metrics prometheus.Registerer
}
