package failure

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// Action says what happens to a record after a failed attempt.
type Action uint8

// The actions.
const (
	Retry Action = iota
	DeadLetter
	Drop
	Halt
)

// Policy decides by the rules of config.Failure. It is safe for concurrent use.
type Policy struct {
	maxAttempts  int
	initial, max time.Duration
	exhausted    Action
}

// NewPolicy returns the policy of a validated configuration.
func NewPolicy(cfg config.Failure) Policy {
	return Policy{
		maxAttempts: cfg.MaxAttempts,
		initial:     cfg.Backoff.Initial.Duration,
		max:         cfg.Backoff.Max.Duration,
		exhausted:   map[config.OnExhausted]Action{config.ToDeadLetter: DeadLetter, config.Drop: Drop, config.Halt: Halt}[cfg.OnExhausted],
	}
}

// Decide returns what happens after the given number of failed attempts, and for a Retry
// how long to wait. err is the error of the last attempt, which may say more: see
// Permanent, Dropped, ToTopic and RetryAfter.
func (p Policy) Decide(attempts int, err error) (Action, time.Duration) {
	if _, ok := errors.AsType[dropped](err); ok {
		return Drop, 0
	}
	if _, ok := TopicOf(err); ok {
		return DeadLetter, 0
	}
	if attempts >= p.maxAttempts || IsPermanent(err) {
		return p.exhausted, 0
	}
	if wait, ok := WaitOf(err); ok {
		return Retry, wait
	}
	return Retry, p.Wait(attempts)
}

// Wait returns how long to wait after the given number of failed attempts, which is at
// least 1.
func (p Policy) Wait(attempts int) time.Duration { return jitter(p.ceiling(attempts)) }

// Exhausted reports whether a record gets no further attempt after this many.
func (p Policy) Exhausted(attempts int) bool { return attempts >= p.maxAttempts }

// ceiling returns initial * 2^(attempts-1), but at most max.
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

// jitter returns a random wait in the upper half of the range up to the ceiling. Records
// that failed together, for example because a service was down, are not all tried again
// at the same moment, and none is tried again at once.
func jitter(ceiling time.Duration) time.Duration {
	half := ceiling / 2
	return half + rand.N(ceiling-half+1)
}
