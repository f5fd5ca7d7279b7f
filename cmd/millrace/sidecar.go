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
	// concurrency is the number of calls at the same time, of all workers.
	concurrency int
	socket      string
	screen      *screen
}

// sidecarRun returns the run of --sidecar. Without a number in the manifest, there is a
// process for each CPU of this machine.
func (s *session) sidecarRun() *sidecarRun {
	r := &sidecarRun{command: s.opts.sidecar, processes: runtime.GOMAXPROCS(0), socket: filepath.Join(s.dir, "sidecar.sock"), screen: s.screen}
	spec := &s.manifest.processor.Spec
	if beside := spec.Processor.Sidecar; beside != nil && beside.Processes != nil {
		r.processes = int(*beside.Processes)
	}
	if spec.Concurrency == nil {
		// Each process gets a batch to work on, and the next one.
		r.concurrency = 2 * r.processes
	}
	return r
}

// startSidecar runs count members of the group in this process, whose records go to the
// processes of a command.
func startSidecar(cfg config.Config, r *sidecarRun, count int, log logr.Logger) (*workers, error) {
	if r.concurrency > 0 {
		cfg.Concurrency = max(r.concurrency/count, 2)
	}
	var batch config.SidecarBatch
	if beside := cfg.Processor.Sidecar; beside != nil {
		batch = beside.Batch
	}
	cfg.Processor.Sidecar = &config.Sidecar{Socket: r.socket, Batch: batch}
	return startMembers(cfg, count, func(ctx context.Context, cfg config.Config) error {
		return worker.RunWith(ctx, cfg, r.build, worker.WithLogger(log))
	})
}

// build implements worker.New. It starts the command and waits for its first process.
func (r *sidecarRun) build(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
	p, err := sidecar.Listen(sidecar.OptionsOf(setup))
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
