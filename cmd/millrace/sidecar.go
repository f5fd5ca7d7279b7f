package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

// sidecarRun is a command that processes records in place of the manifest's processor.
type sidecarRun struct {
	command string
	args    []string // the manifest's
	// variables are those of the manifest that this machine's environment does not have, as
	// NAME=VALUE.
	variables []string
	// adapter is that of the manifest, "" for a command that speaks the protocol.
	adapter   v1alpha1.SidecarAdapter
	processes int
	// concurrency is the number of calls at the same time, of all workers.
	concurrency int
	socket      string
	screen      *screen
}

// variablesOf returns the manifest's variables with values that the environment does not have.
// References to Secrets and others have no values here.
func variablesOf(beside *v1alpha1.SidecarSpec) (variables []string) {
	for _, v := range beside.Env {
		if _, set := os.LookupEnv(v.Name); !set && v.ValueFrom == nil {
			variables = append(variables, v.Name+"="+v.Value)
		}
	}
	return variables
}

// newSidecarRun returns the run of --sidecar, whose socket is in dir. Without a number in the
// manifest, there is a process for each CPU of this machine.
func newSidecarRun(command string, spec *v1alpha1.StreamProcessorSpec, dir string, screen *screen) *sidecarRun {
	r := &sidecarRun{command: command, processes: runtime.GOMAXPROCS(0), socket: filepath.Join(dir, "sidecar.sock"), screen: screen}
	if beside := spec.Processor.Sidecar; beside != nil {
		r.args, r.adapter = beside.Args, beside.Adapter
		r.variables = variablesOf(beside)
		if beside.Processes != nil {
			r.processes = int(*beside.Processes)
		}
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

// build implements worker.New.
func (r *sidecarRun) build(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
	p, err := r.open(ctx, setup)
	if err != nil {
		return nil, err
	}
	return worker.Batch(p), nil
}

// open starts the command and waits for its first process.
func (r *sidecarRun) open(ctx context.Context, setup worker.Setup) (*sidecarProcessor, error) {
	p, err := sidecar.Listen(sidecar.OptionsOf(setup))
	if err != nil {
		return nil, err
	}
	waiting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	c := startCompanion(&companion{run: r, log: setup.Log, connected: p.Connected, useless: giveUp})
	if err := p.Await(waiting); err != nil {
		c.close()
		return nil, errors.Join(context.Cause(waiting), p.Close())
	}
	context.AfterFunc(ctx, p.Drain)
	return &sidecarProcessor{p, c}, nil
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
