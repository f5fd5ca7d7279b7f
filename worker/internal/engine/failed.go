package engine

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// failed takes a failed attempt of a record and returns whether to try again.
func (s *settler) failed(c *chunk, it dispatch.Item, err error) dispatch.Verdict {
	i := int(it.Index)
	rec := &c.Records[i]
	if c.part.givenUp() {
		return dispatch.Verdict{} // the worker's end may have cut the attempt off: not the record's fault
	}
	var condemned *condemnedError
	if errors.As(err, &condemned) {
		action, _ := s.proc.policy.Decide(condemned.attempts, failure.Permanent(err))
		s.proc.failures.exhausted("a record is not tried again", rec, condemned.attempts, condemned.err)
		s.exhaust(c, i, action, condemned.attempts, condemned.err)
		return dispatch.Verdict{}
	}
	attempts := c.part.failures.add(rec, 1, err)
	s.proc.metrics.AttemptsFailed.Add(1)
	s.proc.failures.attempt(rec, attempts, err)
	if pending := s.letterTopicPending(err); pending != nil {
		return s.topicPending(c, i, pending)
	}
	action, wait := s.proc.policy.Decide(attempts, err)
	if action == failure.Retry {
		if n := it.Together(); n > 0 {
			wait = s.waitTogether(err, attempts+n)
		}
		s.proc.metrics.RecordsRetried.Add(1)
		c.part.backOff(wait)
		s.feeder.progressed() // a window may have waited for the attempt
		return dispatch.Verdict{Again: true, After: wait}
	}
	s.exhaust(c, i, action, attempts, err)
	return dispatch.Verdict{}
}

// topicLookupPause is the longest wait of a record while it is not known whether the
// topic of its output exists.
const topicLookupPause = time.Second

// topicPending repeats an attempt of record i whose outputs can't be written yet,
// because it is not known yet whether their topic exists. Nothing is wrong with
// the record, so this does not count as a failed attempt.
func (s *settler) topicPending(c *chunk, i int, err error) dispatch.Verdict {
	if c.part.givenUp() {
		return dispatch.Verdict{}
	}
	c.part.failures.add(&c.Records[i], 0, err) // for /status
	wait := topicLookupPause/2 + rand.N(topicLookupPause/2)
	c.part.backOff(wait)
	return dispatch.Verdict{Again: true, After: wait}
}

// condemnedError stands for the failures of a record that has no attempts left when it
// is dispatched.
type condemnedError struct {
	attempts int
	err      error
}

// Error implements error.
func (e *condemnedError) Error() string { return e.err.Error() }

// condemned returns a condemnedError if the record is not to be tried at all:
// it has crashed the worker, or its partition's Sequencer, too often.
func (s *settler) condemned(it dispatch.Item) error {
	c := it.Chunk.Owner.(*chunk)
	c.resumes(int(it.Index))
	if !c.part.failures.any() {
		return nil
	}
	attempts, condemned, err := c.part.failures.of(it.Record().Offset)
	if err == nil || !condemned && !s.proc.policy.Exhausted(attempts) {
		return nil
	}
	return &condemnedError{attempts: attempts, err: err}
}

// exhaust carries out the policy on a record that is not to be tried again.
func (s *settler) exhaust(c *chunk, i int, action failure.Action, attempts int, err error) {
	switch action {
	case failure.DeadLetter:
		s.deadLetter(c, i, attempts, err)
	case failure.Drop:
		s.proc.failures.exhausted("dropped a record", &c.Records[i], attempts, err)
		s.drop(c, i, err)
	case failure.Halt, failure.Retry:
		s.halt(c, i, attempts, err)
	}
}

func (s *settler) drop(c *chunk, i int, err error) {
	s.proc.metrics.RecordsDropped.Add(1)
	if c.outcomes != nil {
		c.outcomes.setFate(i, record.Dropped, err)
	}
	s.settleOne(c, i)
}

// undeliverable takes an output of record i that can't be written, such as one
// that is too large. The record's other outputs may be written all the same. The record
// itself is exhausted at once, and only once.
func (s *settler) undeliverable(c *chunk, i int, err error) {
	if c.part.givenUp() {
		return
	}
	rec := &c.Records[i]
	attempts := c.part.failures.add(rec, 1, err)
	s.proc.metrics.AttemptsFailed.Add(1)
	s.proc.failures.attempt(rec, attempts, err)
	if !c.part.failures.exhaust(rec.Offset) {
		s.settleOne(c, i)
		return
	}
	action, _ := s.proc.policy.Decide(attempts, failure.Permanent(err))
	s.exhaust(c, i, action, attempts, err)
}
