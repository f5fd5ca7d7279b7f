package engine

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/kafka"
)

const (
	// contactTimeout bounds one attempt at the first contact with the cluster.
	contactTimeout = 30 * time.Second
	// contactPause is the longest wait between two of them.
	contactPause = 5 * time.Second
	// contactReminder is how often the log repeats that there is no contact.
	contactReminder = time.Minute
)

// patiently calls attempt until it succeeds, fails with an error that waiting does
// not remove, or ctx ends. The log, /status and /readyz say what it waits for. A
// worker that ended instead would only be restarted, with longer and longer pauses.
func (e *Engine) patiently(ctx context.Context, attempt func(context.Context) error) error {
	var told time.Time
	pause := backoff.Backoff{Initial: 100 * time.Millisecond, Max: contactPause}
	for {
		err := try(ctx, attempt)
		if err == nil || ctx.Err() != nil || !kafka.Passing(err) {
			e.waitsFor("")
			return err
		}
		e.waitsFor(err.Error())
		if time.Since(told) >= contactReminder {
			told = time.Now()
			e.log.Info("Kafka can't be used yet; the worker waits for it", "error", err.Error())
		}
		_ = pause.Wait(ctx) // the loop looks at ctx
	}
}

func try(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, contactTimeout)
	defer cancel()
	return attempt(ctx)
}

func (e *Engine) waitsFor(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = what
}
