package failure

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// Action is what is to be done with a record.
type Action uint8

// The actions.
const (
	Retry Action = iota
	DeadLetter
	Drop
	Halt
)

// Policy is config.Failure, ready to decide. It is safe for concurrent use.
type Policy struct {
	maxAttempts  int
	initial, max time.Duration
	exhausted    Action
}

// NewPolicy returns the policy that a validated configuration asks for.
func NewPolicy(cfg config.Failure) Policy {
	return Policy{
		maxAttempts: cfg.MaxAttempts,
		initial:     cfg.Backoff.Initial.Duration,
		max:         cfg.Backoff.Max.Duration,
		exhausted:   map[config.OnExhausted]Action{config.ToDeadLetter: DeadLetter, config.Drop: Drop, config.Halt: Halt}[cfg.OnExhausted],
	}
}

// Decide says what follows the given number of failed attempts, the last of
// which failed with err, and for a Retry how long to wait. A permanent error
// is not tried again.
func (p Policy) Decide(attempts int, err error) (Action, time.Duration) {
	if attempts >= p.maxAttempts || IsPermanent(err) {
		return p.exhausted, 0
	}
	return Retry, p.Wait(attempts)
}

// Wait returns how long to wait after the given number of failed attempts, at
// least 1.
func (p Policy) Wait(attempts int) time.Duration { return jitter(p.ceiling(attempts)) }

// Exhausted reports whether a record that was tried this often is not to be
// tried again.
func (p Policy) Exhausted(attempts int) bool { return attempts >= p.maxAttempts }

// ceiling is initial * 2^(attempts-1), at most max.
func (p Policy) ceiling(attempts int) time.Duration {
	d := p.initial
	for range attempts - 1 {
		if d >= p.max/2 {
			return p.max
		}
		d *= 2
	}
	return min(d, p.max)
}

// jitter spreads waits over the upper half of the ceiling: records that failed
// together, as when a service they need is down, are not all tried again at
// the same moment, and none at once.
func jitter(ceiling time.Duration) time.Duration {
	half := ceiling / 2
	return half + rand.N(ceiling-half+1)
}

// permanent marks an error that no further attempt can overcome.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent wraps an error of a processor to say that trying the record again
// is of no use: it goes where exhausted records go. A nil error stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}
