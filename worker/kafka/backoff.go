package kafka

import (
	"context"
	"math/rand/v2"
	"time"
)

// The waits of a backoff whose fields are zero.
const (
	backoffInitial = 50 * time.Millisecond
	backoffMax     = 2 * time.Second
)

// backoff is the wait between attempts: doubled each time, with jitter so that
// the members of a group do not come back all at once. The zero value is ready
// to use. It is not safe for concurrent use.
type backoff struct {
	// initial and max bound the wait; zero is a default.
	initial, max time.Duration
	attempts     int
}

// next returns how long to wait before the next attempt: between half of the
// step and all of it.
func (b *backoff) next() time.Duration {
	initial, limit := b.initial, b.max
	if initial <= 0 {
		initial = backoffInitial
	}
	if limit <= 0 {
		limit = backoffMax
	}
	step := limit
	if b.attempts < 30 && initial<<b.attempts < limit {
		step = initial << b.attempts
	}
	b.attempts++
	return step/2 + rand.N(step/2+1)
}

// reset starts again at the shortest wait, after a success.
func (b *backoff) reset() { b.attempts = 0 }

// wait sleeps for next, or until ctx is done and then returns its error.
func (b *backoff) wait(ctx context.Context) error { return sleep(ctx, b.next()) }

// sleep waits for d, or until ctx is done and then returns its error.
func sleep(ctx context.Context, d time.Duration) error {
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
