package engine

import (
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// wholeFailure holds why a call of several records failed as a whole: by an error, a
// panic or an overrun. That does not show which of the records is at fault, so none
// is charged with a failed attempt: the pool tries them again in halves, and a record
// that fails alone is charged. The wait grows with each halving as it does with each
// attempt, to spare a service that the processor depends on: while it is down, every
// batch fails.
type wholeFailure struct {
	err  error // nil if the call did not fail as a whole
	seen bool  // by the call's first record; wait is set
	wait time.Duration
}

// untriedPause is the longest wait before the next attempt of records whose attempt did not
// begin.
const untriedPause = time.Second

// untried takes the end of an attempt that did not begin, for one of its call's records. All
// get the same wait, so that the pool can try them together again.
func (s *settler) untried(w *wholeFailure, c *chunk, it dispatch.Item, err error) dispatch.Verdict {
	if c.part.givenUp() {
		return dispatch.Verdict{}
	}
	if !w.seen {
		w.seen = true
		w.wait = untriedPause/4 + rand.N(untriedPause*3/4)
	}
	c.part.failures.add(it.Record(), 0, err) // for /status
	c.part.backOff(w.wait)
	return dispatch.Verdict{Again: true, After: w.wait}
}

// failedTogether takes the failure of a whole call for one of its records.
func (s *settler) failedTogether(w *wholeFailure, c *chunk, it dispatch.Item) dispatch.Verdict {
	if c.part.givenUp() {
		return dispatch.Verdict{} // the worker's end may have cut the call off: not the records' fault
	}
	if !w.seen {
		w.seen = true
		w.wait = s.waitTogether(w.err, it.Together()+1)
		s.proc.metrics.AttemptsFailed.Add(1)
		s.proc.failures.together(it.Record(), w.wait, w.err)
	}
	s.proc.metrics.RecordsRetried.Add(1)
	c.part.failures.add(it.Record(), 0, w.err) // for /status
	c.part.backOff(w.wait)
	return dispatch.Verdict{Again: true, After: w.wait, Together: true}
}

// waitTogether returns how long to wait after the n-th call in a row that failed as a
// whole.
func (s *settler) waitTogether(err error, n int) time.Duration {
	if failure.IsFinal(err) {
		return 0
	}
	if wait, ok := failure.WaitOf(err); ok {
		return wait
	}
	return s.proc.policy.Wait(n)
}
