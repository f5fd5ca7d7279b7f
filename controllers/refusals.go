package controllers

import (
	"time"

	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// What the API server refuses, because of a quota, a webhook or its content, is applied
// again after a pause that doubles each time: it may be taken by then, and asking at
// each reconciliation would be a load for nothing.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// refusal is an object that was refused.
type refusal struct {
	hash  string // of what was applied
	err   error
	pause time.Duration
	until time.Time
}

// stillRefused returns the error of the last try while the pause after it lasts. An
// object that has changed since is tried at once.
func (r *Reconciler) stillRefused(s *scope, object resources.Object, hash string) error {
	last, ok := s.memory.refusals[plan.Describe(object)]
	left := last.until.Sub(r.Clock.Now())
	if !ok || left <= 0 || last.hash != hash {
		return nil
	}
	s.waitFor(left)
	return last.err
}

// noteRefusal remembers how a try ended.
func (r *Reconciler) noteRefusal(s *scope, object resources.Object, hash string, err error) {
	name := plan.Describe(object)
	if _, ok := refused(err); !ok {
		delete(s.memory.refusals, name)
		return
	}
	next := refusal{hash: hash, err: err, pause: firstRetry}
	if last := s.memory.refusals[name]; last.hash == hash {
		next.pause = min(2*last.pause, lastRetry)
	}
	next.until = r.Clock.Now().Add(next.pause)
	if s.memory.refusals == nil {
		s.memory.refusals = map[string]refusal{}
	}
	s.memory.refusals[name] = next
	s.waitFor(next.pause)
}
