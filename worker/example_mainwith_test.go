package worker_test

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker"
)

// grammar stands for a library whose parsers only one goroutine at a time may use.
type grammar struct{ parsed prometheus.Counter }

// Process has the grammar for itself.
func (p *grammar) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	p.parsed.Inc()
	out.EmitValue(rec.Value)
	return nil
}

// Close ends the session.
func (p *grammar) Close() error { return nil }

// newParsers builds the processor of the program: a grammar for each goroutine, and a metric
// beside those of the worker.
func newParsers(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
	parsed := prometheus.NewCounter(prometheus.CounterOpts{Name: "parsed_records_total", Help: "Records that were parsed."})
	if err := setup.Metrics.Register(parsed); err != nil {
		return nil, fmt.Errorf("register the metrics: %w", err)
	}
	return worker.PerGoroutine(ctx, func(context.Context) (worker.Processor, error) {
		setup.Log.Info("loading a grammar")
		return &grammar{parsed}, nil
	})
}

// The main function of a program that builds its processor from the worker's configuration,
// logger and metrics. The worker closes it at the end.
func ExampleMainWith() {
	worker.MainWith(newParsers)
}
