package kafka

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Silence is a time in which no broker of a cluster answers.
type Silence struct {
	Since time.Time
	Err   error // of the last request
}

// contact knows whether the brokers of a cluster answer.
type contact struct{ silence atomic.Pointer[Silence] }

// note takes the outcome of a request.
func (c *contact) note(err error) {
	last := c.silence.Load()
	switch {
	case err == nil:
		if last != nil {
			c.silence.Store(nil)
		}
	case unanswered(err):
		since := time.Now()
		if last != nil {
			since = last.Since
		}
		c.silence.Store(&Silence{Since: since, Err: err})
	}
}

// unanswered reports whether a request failed since no broker answers it. Others
// fail with an answer, or were not sent.
func unanswered(err error) bool {
	_, isDial := errors.AsType[*DialError](err)
	return isDial || brokenConnection(err) || errors.Is(err, ErrUnreachable) || errors.Is(err, context.DeadlineExceeded)
}

// Silence returns since when no broker of the cluster has answered, and why; nil if
// one has answered the last request.
func (c *Client) Silence() *Silence { return c.contact.silence.Load() }
