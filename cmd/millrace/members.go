package main

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker/config"
)

// startMembers runs count members of the group in this process. run is worker.Run or
// worker.RunWith.
func startMembers(cfg config.Config, count int, run func(context.Context, config.Config) error) (*workers, error) {
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
		w.err = run(ctx, cfg)
		if w.err == nil && ctx.Err() == nil {
			w.err = errors.New("the worker ended by itself")
		}
	}()
	return w, nil
}
