// Package backoff computes the wait between two attempts of the same thing.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// The bounds of a Backoff that sets none.
const (
	DefaultInitial = 50 * time.Millisecond
	DefaultMax     = 2 * time.Second
)

// Backoff is the wait between attempts. It doubles each time, with jitter, so that
// the members of a group do not come back all at once. The zero value is ready
// to use. It is not safe for concurrent use.
type Backoff struct {
	// Initial and Max bound the wait; zero is the default.
	Initial, Max time.Duration
	attempts     int
}

// Next returns the wait before the next attempt: between half of the step and all
// of it.
func (b *Backoff) Next() time.Duration {
	initial, limit := b.Initial, b.Max
	if initial <= 0 {
		initial = DefaultInitial
	}
	if limit <= 0 {
		limit = DefaultMax
	}
	step := limit
	if b.attempts < 30 && initial<<b.attempts < limit {
		step = initial << b.attempts
	}
	b.attempts++
	return step/2 + rand.N(step/2+1)
}

// Reset starts again at the shortest wait, after a success.
func (b *Backoff) Reset() { b.attempts = 0 }

// Wait sleeps for Next. It returns early with ctx's error when ctx ends.
func (b *Backoff) Wait(ctx context.Context) error { return Sleep(ctx, b.Next()) }

// Sleep waits for d. It returns early with ctx's error when ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
