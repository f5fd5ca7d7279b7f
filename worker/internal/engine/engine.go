package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Engine is a worker process: one or more members of a consumer group around
// one processor.
type Engine struct {
	cfg     config.Config
	log     logr.Logger
	policy  failure.Policy
	metrics *telemetry.Metrics

	code     *usercode.Code
	failures *failureLog

	client *kafka.Client // of the input's cluster
	output *kafka.Client // of the output's; client unless they are apart
	apart  bool          // the output has connections of its own
	// connected is set once the fields above are.
	connected atomic.Bool

	members []*member
	turns   turns
	life    lifetime
	rates   rates
	settled atomic.Int64 // records, since the process started

	stop context.CancelFunc // begins the drain of every member

	mu  sync.Mutex
	err error // why the worker ends, nil for a graceful stop; guarded by mu
	// waiting is why the cluster can't be used yet, "" once it can; guarded by mu.
	waiting string
}

// New returns an engine for a validated configuration.
func New(cfg config.Config, code *usercode.Code, metrics *telemetry.Metrics, log logr.Logger) *Engine {
	e := &Engine{
		cfg: cfg, log: log, policy: failure.NewPolicy(cfg.Failure), metrics: metrics, code: code,
		life: newLifetime(cfg.StateDir, log), failures: newFailureLog(telemetry.NewLimited(log)),
	}
	for i := range cfg.Members {
		e.members = append(e.members, newMember(e, i))
	}
	metrics.Watch(e.Status)
	return e
}

// Run works until ctx ends, then drains: it finishes what is in flight within
// the drain timeout, commits and leaves the group; config.StopTimeout bounds all
// of it. The error says why the worker could not go on; nil is a graceful end.
func (e *Engine) Run(ctx context.Context) error {
	ctx, e.stop = context.WithCancel(ctx)
	defer e.stop()
	defer e.failures.lines.Close()
	defer e.life.note()
	defer context.AfterFunc(ctx, e.life.note)()
	defer e.closeClusters()
	switch err := e.connect(ctx); {
	case ctx.Err() != nil:
		return nil // stopped before there was anything to drain
	case err != nil:
		return err
	}
	var members sync.WaitGroup
	for _, m := range e.members {
		members.Go(func() { m.run(ctx) })
	}
	ended := make(chan struct{})
	go func() {
		members.Wait()
		close(ended)
	}()
	return e.result(e.awaitEnd(ctx, ended))
}

// connect reaches the clusters and makes sure that the topics exist.
func (e *Engine) connect(ctx context.Context) error {
	if err := e.openClusters(); err != nil {
		return err
	}
	e.connected.Store(true)
	return e.patiently(ctx, e.checkTopics)
}
