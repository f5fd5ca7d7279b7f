package sidecar

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker"
)

// OptionsOf returns the options that a worker's configuration holds in Processor.Sidecar,
// which must be set.
func OptionsOf(setup worker.Setup) Options {
	s := setup.Config.Processor.Sidecar
	return Options{
		Socket: s.Socket,
		Batch:  Batch{MaxRecords: s.Batch.MaxRecords, MaxBytes: int(s.Batch.MaxBytes), Linger: s.Batch.Linger.Duration},
		Worker: setup.Config, Log: setup.Log, Metrics: setup.Metrics,
	}
}

// New is the worker.New of a worker whose processes are started by somebody else. It waits
// for the first one.
func New(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
	p, err := Listen(OptionsOf(setup))
	if err != nil {
		return nil, err
	}
	setup.Log.Info("waiting for a process of the processor", "socket", setup.Config.Processor.Sidecar.Socket)
	if err := p.Await(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	context.AfterFunc(ctx, p.Drain)
	return worker.Batch(p), nil
}
