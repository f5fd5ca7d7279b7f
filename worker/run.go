package worker

import (
	"context"
	"errors"
	"io"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Option changes how Run works.
type Option func(*options)

type options struct{ log logr.Logger }

// WithLogger sets the logger. Without one, Run logs nothing.
func WithLogger(log logr.Logger) Option { return func(o *options) { o.log = log } }

// Run processes cfg's input topic with p until ctx ends or the worker can't go
// on. With cfg.Members above 1 it runs that many members of the consumer group
// in this process.
//
// When ctx ends, Run drains: it reads nothing new, finishes the records in flight
// within cfg.DrainTimeout, commits their offsets, leaves the group and returns nil. Its
// error says in one line why the worker can't go on; Run commits the offsets of all
// settled records before it returns the error.
func Run(ctx context.Context, cfg config.Config, p Processor, opts ...Option) error {
	o := options{log: logr.Discard()}
	for _, opt := range opts {
		opt(&o)
	}
	config.Default(&cfg)
	if err := cfg.Validate(); err != nil {
		return err
	}
	code, err := usercode.Of[Record, Outputs, Outcome](p)
	if err != nil {
		return err
	}
	metrics := telemetry.NewMetrics(cfg.Input.Topic)
	e := engine.New(cfg, code, metrics, o.log)
	if cfg.Telemetry.Listen == "" {
		return e.Run(ctx)
	}
	health := telemetry.NewHealth(cfg.Failure.StallTimeout.Duration, e.Progress)
	server, err := telemetry.Listen(telemetry.ServerConfig{
		Addr:    cfg.Telemetry.Listen,
		Metrics: metrics.Handler(),
		Health:  health.Check,
		Ready:   e.Ready,
		Status:  e.Status,
		Logger:  o.log,
	})
	if err != nil {
		return err
	}
	o.log.Info("serving /metrics, /healthz, /readyz and /status", "address", server.Addr())
	return errors.Join(e.Run(ctx), server.Close())
}

// NewLogger returns a logger like that of Main, which writes to w.
func NewLogger(level config.LogLevel, format config.LogFormat, w io.Writer) logr.Logger {
	return telemetry.NewLoggerAt(level, format, w)
}
