package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errInterrupted is the error of a run that the user ended before it was finished.
var errInterrupted = errors.New("interrupted")

// sameWish is the time after a signal in which others repeat it. A process group, or a
// parent that passes its signals on, brings one wish of the user several times.
const sameWish = 500 * time.Millisecond

// signals returns a context and a channel. The first SIGINT or SIGTERM asks for a
// drain and ends the context; a later one asks to stop at once and closes the channel.
func signals() (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	abort := make(chan struct{})
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		heed(received, cancel)
		close(abort)
	}()
	return ctx, abort
}

// heed calls drain at the first signal, and returns at the next one that does not merely
// repeat it.
func heed(received <-chan os.Signal, drain func()) {
	<-received
	drain()
	for first := time.Now(); ; {
		<-received
		if time.Since(first) >= sameWish {
			return
		}
	}
}
