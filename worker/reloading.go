package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/reload"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// reloading is a processor that is built again when the file with its expressions changes.
// Each call of Process uses one of the processors, so all expressions of a record are of
// one version; another attempt of the record may use a newer one.
type reloading struct {
	build   New
	setup   Setup
	metrics *telemetry.Metrics
	current atomic.Pointer[Processor]
}

// newProcessor builds the processor, and has its metrics served. If the configuration names
// a file with expressions, newProcessor also returns the file, which is nil otherwise.
func newProcessor(ctx context.Context, build New, setup Setup, metrics *telemetry.Metrics) (Processor, *reload.File, error) {
	from := setup.Config.Processor
	if from.CELFile == "" {
		registry := metrics.NewRegistry()
		setup.Metrics = registry
		p, err := build(ctx, setup)
		metrics.Serve(registry)
		return p, nil, err
	}
	if from.CEL != nil {
		return nil, nil, errors.New("processor.celFile: processor.cel is set too: remove one of them")
	}
	r := &reloading{build: build, setup: setup, metrics: metrics}
	file, err := reload.Open(from.CELFile, func(content []byte) error { return r.take(ctx, content) })
	return r, file, err
}

// take goes on with the expressions in content. If it returns an error, nothing has
// changed.
func (r *reloading) take(ctx context.Context, content []byte) error {
	expressions, err := config.ParseExpressions(content)
	if err != nil {
		return err
	}
	setup := r.setup
	setup.Config.Processor = config.Processor{CEL: expressions}
	if err := setup.Config.Validate(); err != nil {
		return err
	}
	registry := r.metrics.NewRegistry() // the former processor's has the same names
	setup.Metrics = registry
	p, err := r.build(ctx, setup)
	if err == nil {
		err = exchangeable(p)
	}
	if err != nil {
		return err
	}
	r.current.Store(&p)
	r.metrics.Serve(registry)
	return nil
}

// exchangeable returns an error if a processor has something that would have to be told when
// another one takes its place, or that a worker finds out at its start only.
func exchangeable(p Processor) error {
	if p == nil {
		return errNoProcessor
	}
	method := hookOf(p)
	switch userOf(p).(type) {
	case io.Closer:
		method = "Close"
	case BatchProcessor:
		method = "ProcessBatch"
	}
	if method == "" {
		return nil
	}
	err := fmt.Errorf("%T has the method %s, which a processor can't have that is exchanged when processor.celFile changes", userOf(p), method)
	return errors.Join(err, closeInstance(p))
}

// Process calls the present processor.
func (r *reloading) Process(ctx context.Context, rec *Record, out *Outputs) error {
	return (*r.current.Load()).Process(ctx, rec, out)
}
