package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is the error of a run that the user ended before it was finished.
var errInterrupted = errors.New("interrupted")

// signals returns a context and a channel. The first SIGINT or SIGTERM asks for a
// drain and ends the context; the second asks to stop at once and closes the channel.
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
