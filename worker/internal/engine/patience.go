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
// not remove, or ctx ends. The log, /status and /readyz give the error in that time. A
// worker that ended instead would only be restarted, with longer and longer pauses.
func (p *process) patiently(ctx context.Context, attempt func(context.Context) error) error {
	var logged time.Time
	pause := backoff.Backoff{Initial: 100 * time.Millisecond, Max: contactPause}
	for {
		err := attemptWithin(ctx, contactTimeout, attempt)
		if err == nil || ctx.Err() != nil || !kafka.Passing(err) {
			p.waitsFor("")
			return err
		}
		p.waitsFor(err.Error())
		if time.Since(logged) >= contactReminder {
			logged = time.Now()
			p.log.Info("Kafka can't be used yet; the worker waits for it", "error", err.Error())
		}
		_ = pause.Wait(ctx) // the loop looks at ctx
	}
}

func attemptWithin(ctx context.Context, timeout time.Duration, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return attempt(ctx)
}

// waitsFor sets why the cluster can't be used yet, "" for no reason.
func (p *process) waitsFor(reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = reason
}
