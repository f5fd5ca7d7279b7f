package worker

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/reload"
	"github.com/millrace-dev/millrace/worker/internal/schema"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Option changes how Run works.
type Option func(*options)

type options struct{ log logr.Logger }

// WithLogger sets the logger. Without one, Run logs nothing.
func WithLogger(log logr.Logger) Option { return func(o *options) { o.log = log } }

// Run processes cfg's input topic with p until ctx ends or the worker can't go
// on. With cfg.Members above 1 it runs that many members of the consumer group
// in this process. It does not close p.
//
// When ctx ends, Run drains: it reads nothing new, finishes the records in flight
// within cfg.DrainTimeout, commits their offsets, leaves the group and returns nil. Its
// error says in one line why the worker can't go on; Run commits the offsets of all
// settled records before it returns the error.
func Run(ctx context.Context, cfg config.Config, p Processor, opts ...Option) error {
	r, err := newRun(cfg, opts)
	if err != nil {
		return err
	}
	code, err := r.codeOf(p)
	if err != nil {
		return err
	}
	r.processes = processesOf(p)
	return r.serve(ctx, code)
}

// RunWith is Run for a processor that build makes, and that RunWith closes at the end.
//
// If cfg names a file with expressions (Processor.CELFile), build gets them in its
// configuration. When the file changes, RunWith calls build again and goes on with the new
// processor. While the file can't be used, the former processor goes on. Processors that are
// exchanged like this take no batches, have no hooks and have nothing to close: others are an
// error. Each of them registers its metrics with its own Setup.Metrics; the worker serves
// those of the processor that it goes on with, and no longer those of the former one.
func RunWith(ctx context.Context, cfg config.Config, build New, opts ...Option) error {
	r, err := newRun(cfg, opts)
	if err != nil {
		return &setupError{err}
	}
	p, expressions, err := newProcessor(ctx, build, Setup{Config: r.cfg, Log: r.log}, r.metrics)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // stopped before there was anything to drain
	case err != nil:
		return &setupError{err}
	}
	code, err := r.codeOf(p)
	if err != nil {
		return &setupError{errors.Join(err, closeInstance(p))}
	}
	r.processes = processesOf(p)
	if expressions != nil {
		r.expressions = expressions
		defer r.watch(ctx)()
	}
	return errors.Join(r.serve(ctx, code), code.Close())
}

// setupError is the error of a configuration, of a New, or of the processor that it has
// built.
type setupError struct{ error }

// Unwrap returns the reason.
func (e *setupError) Unwrap() error { return e.error }

// codeOf finds the parts of a processor. Its calls get JSON in the place of values that were
// written with the schemas of a registry.
func (r *run) codeOf(p Processor) (*usercode.Code, error) {
	code, err := usercode.Of[Record, Outputs, Outcome](p)
	if err != nil || r.cfg.Input.Schema == nil && r.cfg.Output.Schema == nil {
		return code, err
	}
	translator, err := schema.NewTranslator(r.cfg, r.log)
	if err != nil {
		return nil, err
	}
	code.Translate(translator)
	return code, nil
}

// run is a worker before it has a processor.
type run struct {
	cfg     config.Config
	log     logr.Logger
	metrics *telemetry.Metrics
	// expressions is the file with the processor's expressions; nil if there is none.
	expressions *reload.File
	// processes describes the processes that the processor hands its records to; nil if there
	// are none.
	processes func() workerstatus.Processes
}

// processesOf returns the method of a processor that describes its processes; nil if it has
// none.
func processesOf(p Processor) func() workerstatus.Processes {
	if described, ok := userOf(p).(interface{ Processes() workerstatus.Processes }); ok {
		return described.Processes
	}
	return nil
}

// watch takes changed expressions over until the returned function is called.
func (r *run) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { r.expressions.Watch(ctx, r.log) })
	return func() {
		cancel()
		watching.Wait()
	}
}

func newRun(cfg config.Config, opts []Option) (*run, error) {
	o := options{log: logr.Discard()}
	for _, opt := range opts {
		opt(&o)
	}
	config.Default(&cfg)
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &run{cfg: cfg, log: o.log, metrics: telemetry.NewMetrics(cfg.Input.Topic)}, nil
}

// serve runs the engine beside the HTTP endpoints.
func (r *run) serve(ctx context.Context, code *usercode.Code) error {
	e := engine.New(r.cfg, code, r.metrics, r.log)
	if r.cfg.Telemetry.Listen == "" {
		return e.Run(ctx)
	}
	health := telemetry.NewHealth(r.cfg.Failure.StallTimeout.Duration, e.Progress)
	server, err := telemetry.Listen(telemetry.ServerConfig{
		Addr:    r.cfg.Telemetry.Listen,
		Metrics: r.metrics.Handler(),
		Health:  health.Check,
		Ready:   e.Ready,
		Status:  func() workerstatus.Status { return r.status(e) },
		Logger:  r.log,
	})
	if err != nil {
		return err
	}
	r.log.Info("serving /metrics, /healthz, /readyz and /status", "address", server.Addr())
	return errors.Join(e.Run(ctx), server.Close())
}

// status returns the response of /status.
func (r *run) status(e *engine.Engine) workerstatus.Status {
	s := e.Status()
	if r.expressions != nil {
		s.Expressions = new(r.expressions.Status())
	}
	if r.processes != nil {
		s.Processes = new(r.processes())
	}
	return s
}

// NewLogger returns a logger like that of Main, which writes to w.
func NewLogger(level config.LogLevel, format config.LogFormat, w io.Writer) logr.Logger {
	return telemetry.NewLoggerAt(level, format, w)
}
