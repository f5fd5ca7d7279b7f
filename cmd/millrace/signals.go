package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is why a run ends that was not let finish.
var errInterrupted = errors.New("interrupted")

// signals returns a context that ends at the first SIGINT or SIGTERM, which
// asks for a drain, and a channel that is closed at the second, which asks to
// give it up.
func signals() (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	abort := make(chan struct{})
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-received
		cancel()
		<-received
		close(abort)
	}()
	return ctx, abort
}
