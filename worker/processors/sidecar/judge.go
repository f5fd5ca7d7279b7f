package sidecar

import (
	"errors"
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// remove takes a connection out of use and returns its calls. It returns false if that has
// happened before, or if the call that is the reason has just ended. The caller holds mu.
func (s *places) remove(c *connection, culprit *call) (calls map[uint64]*call, ok bool) {
	i := slices.Index(s.connections, c)
	if i < 0 || culprit != nil && c.calls[culprit.id] != culprit {
		return nil, false
	}
	s.connections = slices.Delete(s.connections, i, i+1)
	calls, c.calls, c.reserved = c.calls, nil, nil
	return calls, true
}

// judge returns how the calls end that were under way on a connection when it ended. Records
// that can't be at fault are untried. If it is not known which of several calls is at fault,
// those with one record are tried again with a process for each. So is one that has run out of
// time if others had some of it, and so are these: the process may hang in one of them, while
// a call behind it has the same deadline and notices first. The caller holds mu.
func (s *places) judge(c *connection, calls map[uint64]*call, culprit *call, err error) map[uint64]error {
	endings := make(map[uint64]error, len(calls))
	named := c.errorAbout(err)
	_, idle := errors.AsType[idleError](err)
	idle = idle || errors.Is(err, errGone)
	shared := culprit != nil && culprit.delayed && errors.Is(err, errOverrun)
	for id, call := range calls {
		switch {
		case shared && id <= culprit.id && !call.exclusive:
			if endings[id] = named; s.suspects.add(call) {
				endings[id] = failure.Untried(named)
			}
		case idle || culprit != nil && call != culprit:
			endings[id] = failure.Untried(named)
		case call.exclusive:
			s.suspects.clear(call)
			endings[id] = named
		case len(calls) > 1 && culprit == nil && s.suspects.add(call):
			endings[id] = failure.Untried(named)
		default:
			endings[id] = named
		}
	}
	return endings
}
