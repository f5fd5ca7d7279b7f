package main

import (
	"context"
	"errors"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// startMembers runs count members of the group in this process.
func startMembers(cfg config.Config, processor worker.Processor, count int, log logr.Logger) (*workers, error) {
	address, err := statusAddress(cfg.Telemetry.Listen, 0)
	if err != nil {
		return nil, err
	}
	cfg.Members, cfg.Telemetry.Listen = count, address
	ctx, stop := context.WithCancel(context.Background())
	w := &workers{
		statusURLs: []string{statusURL(address)},
		stop:       stop,
		kill:       stop, // goroutines can't be killed, but end with the process
		done:       make(chan struct{}),
	}
	go func() {
		defer close(w.done)
		w.err = worker.Run(ctx, cfg, processor, worker.WithLogger(log))
		if w.err == nil && ctx.Err() == nil {
			w.err = errors.New("the worker ended by itself")
		}
	}()
	return w, nil
}
