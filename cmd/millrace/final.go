package main

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

const (
	// finalPatience is how long the command waits for the final words of workers
	// that have ended.
	finalPatience = time.Second
	// knockInterval is how often the command asks a worker that does not listen yet.
	knockInterval = 10 * time.Millisecond
)

// finalWord is a worker's status after it has drained. The worker must get the request
// while it still listens, so the command sends it at the start.
type finalWord struct {
	asked  atomic.Bool              // the worker has the request
	status chan workerstatus.Status // gets the answer, or is closed without one
}

// await sends the request until the worker has it, and waits for the answer.
func (f *finalWord) await(ctx context.Context, url string) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) { f.asked.Store(info.Err == nil) },
	})
	knock := time.NewTicker(knockInterval)
	defer knock.Stop()
	defer close(f.status)
	for !f.asked.Load() {
		if status, err := ask(ctx, http.DefaultClient, url+"?final"); err == nil {
			f.status <- status
			return
		}
		select {
		case <-knock.C:
		case <-ctx.Done():
			return
		}
	}
}
