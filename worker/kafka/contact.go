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

// contact keeps whether the brokers of a cluster answer.
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

// unanswered reports whether a request failed because no broker answered it. Other
// requests fail with an answer, or are not sent.
func unanswered(err error) bool {
	_, isDial := errors.AsType[*DialError](err)
	return isDial || brokenConnection(err) || errors.Is(err, ErrUnreachable) || errors.Is(err, context.DeadlineExceeded)
}

// Silence returns the time since which no broker of the cluster has answered, and the
// last error. It returns nil if a broker answered the last request.
func (c *Client) Silence() *Silence { return c.contact.silence.Load() }
