package main

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

// sidecarRun is a command that processes records in place of the manifest's processor.
type sidecarRun struct {
	command   string
	processes int
	socket    string
	screen    *screen
}

// startSidecar runs count members of the group in this process, whose records go to the
// processes of a command. dir is for the socket.
func startSidecar(cfg config.Config, command string, count int, dir string, s *screen, log logr.Logger) (*workers, error) {
	r := &sidecarRun{command: command, processes: runtime.GOMAXPROCS(0), socket: filepath.Join(dir, "sidecar.sock"), screen: s}
	if cfg.Concurrency == 0 {
		// Each process gets a batch to work on, and the next one.
		cfg.Concurrency = max(2*r.processes/count, 2)
	}
	return startMembers(cfg, count, func(ctx context.Context, cfg config.Config) error {
		return worker.RunWith(ctx, cfg, r.build, worker.WithLogger(log))
	})
}

// build implements worker.New. It starts the command and waits for its first process.
func (r *sidecarRun) build(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
	p, err := sidecar.Listen(sidecar.Options{Socket: r.socket, Worker: setup.Config, Log: setup.Log, Metrics: setup.Metrics})
	if err != nil {
		return nil, err
	}
	waiting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	c := startCompanion(&companion{
		command: r.command, environment: r.environment(), screen: r.screen, log: setup.Log, connected: p.Connected, useless: giveUp,
	})
	if err := p.Await(waiting); err != nil {
		c.close()
		return nil, errors.Join(context.Cause(waiting), p.Close())
	}
	context.AfterFunc(ctx, p.Drain)
	return worker.Batch(&sidecarProcessor{p, c}), nil
}

// sidecarProcessor is a Processor that ends with its command.
type sidecarProcessor struct {
	*sidecar.Processor
	companion *companion
}

// Close closes the connections, in good order, and ends the command.
func (p *sidecarProcessor) Close() error {
	p.companion.ending.Store(true)
	err := p.Processor.Close()
	p.companion.close()
	return err
}
