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
	// finalPatience is how long the final word of workers that have ended may
	// be on its way.
	finalPatience = time.Second
	// knockInterval is how often a worker is asked that does not listen yet.
	knockInterval = 10 * time.Millisecond
)

// finalWord is what a worker says when it has drained. The question has to be
// asked while it still listens, so it is asked at the start.
type finalWord struct {
	asked  atomic.Bool              // the worker has the question
	status chan workerstatus.Status // gets the answer, and is closed without one
}

// await asks the worker until it has the question, and waits for the answer.
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
