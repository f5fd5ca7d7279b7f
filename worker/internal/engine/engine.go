package engine

import (
	"context"
	"net"
	"sync"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Engine is a worker process: one or more members of a consumer group around
// one processor.
type Engine struct {
	proc    *process
	members []*member
}

// New returns an engine for a validated configuration.
func New(cfg config.Config, code *usercode.Code, metrics *telemetry.Metrics, log logr.Logger) *Engine {
	e := &Engine{proc: newProcess(cfg, code, metrics, log)}
	for i := range cfg.Members {
		m := newMember(e.proc, i)
		e.members = append(e.members, m)
		e.proc.feeders = append(e.proc.feeders, m.mail)
	}
	metrics.Watch(e.Status)
	return e
}

// DialWith makes the engine connect to brokers with dial, which a test on a virtual clock
// needs. It must be called before Run.
func (e *Engine) DialWith(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	e.proc.clusters.dial = dial
}

// Run works until ctx ends, then drains: it finishes the records in flight within
// the drain timeout, commits and leaves the group. config.StopTimeout bounds all
// of it. The error says why the worker could not go on; nil is a graceful end.
func (e *Engine) Run(ctx context.Context) error {
	p := e.proc
	ctx, p.stop = context.WithCancel(ctx)
	defer p.stop()
	defer p.failures.lines.Close()
	defer p.life.note()
	defer context.AfterFunc(ctx, p.life.note)()
	defer p.clusters.close()
	switch err := p.connect(ctx); {
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
	return p.result(p.awaitEnd(ctx, ended))
}
