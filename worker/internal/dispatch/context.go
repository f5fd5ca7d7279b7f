package dispatch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// attemptContext is the context of a goroutine's attempts. They share it until the
// watchdog or the end of the pool cancels it, so that an attempt costs no allocation
// and no timer.
type attemptContext struct {
	context.Context // the pool's
	runner          *runner
	once            sync.Once
	done            chan struct{}
	stop            func() bool

	// The watchdog's last sighting of an attempt: its number, and the time since the
	// pool's start, which is set first.
	seen      atomic.Uint64
	seenSince atomic.Int64
}

func newAttemptContext(r *runner) *attemptContext {
	c := &attemptContext{Context: r.pool.ctx, runner: r, done: make(chan struct{})}
	c.stop = context.AfterFunc(c.Context, c.end)
	return c
}

func (c *attemptContext) end() { c.once.Do(func() { close(c.done) }) }

// expire ends the context because its attempt ran out of time.
func (c *attemptContext) expire() {
	c.stop()
	c.end()
}

// sighted notes when the watchdog has seen an attempt for the first time.
func (c *attemptContext) sighted(s sighting) {
	c.seenSince.Store(int64(s.since.Sub(c.runner.pool.started)))
	c.seen.Store(s.number)
}

// Deadline implements context.Context. The watchdog measures an attempt from the moment
// when it has seen it: an attempt that it has not seen yet has its whole timeout.
func (c *attemptContext) Deadline() (deadline time.Time, ok bool) {
	timeout := c.runner.pool.cfg.Timeout
	if timeout == 0 {
		return time.Time{}, false
	}
	since := time.Now()
	if c.Err() != nil {
		return since, true
	}
	if c.seen.Load() == c.runner.state.Load()/numbers {
		since = c.runner.pool.started.Add(time.Duration(c.seenSince.Load()))
	}
	return since.Add(timeout), true
}

// Done implements context.Context.
func (c *attemptContext) Done() <-chan struct{} { return c.done }

// Err implements context.Context.
func (c *attemptContext) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if err := c.Context.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}
