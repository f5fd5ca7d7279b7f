package dispatch

import (
	"context"
	"sync"
)

// attemptContext is the context of a goroutine's attempts. They share it until the
// watchdog or the end of the pool cancels it, so that an attempt costs no allocation
// and no timer.
type attemptContext struct {
	context.Context // the pool's
	once            sync.Once
	done            chan struct{}
	stop            func() bool
}

func newAttemptContext(pool context.Context) *attemptContext {
	c := &attemptContext{Context: pool, done: make(chan struct{})}
	c.stop = context.AfterFunc(pool, c.end)
	return c
}

func (c *attemptContext) end() { c.once.Do(func() { close(c.done) }) }

// expire ends the context because its attempt ran out of time.
func (c *attemptContext) expire() {
	c.stop()
	c.end()
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
