package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// hurriedDrain bounds a drain after the brokers have refused to write the output:
// most records can't be settled then, and it is for the few that can.
const hurriedDrain = 2 * time.Second

// beginStop drains every partition. The drain timeout is for what is in flight;
// then comes the time for the last commits. After that the member gives up whatever
// is left.
func (m *member) beginStop() {
	m.stopping = true
	m.setState("draining")
	for _, p := range m.parts {
		m.drain(p)
	}
	time.AfterFunc(m.e.cfg.DrainTimeout.Duration+config.LastCommitTimeout, m.giveUp)
}

// stopped reports whether nothing is left to wait for.
func (m *member) stopped() bool { return m.stopping && len(m.parts) == 0 }

// hurry shortens the drains, those that have begun too.
func (m *member) hurry() {
	m.hurried = true
	for _, p := range m.parts {
		if p.timer != nil && p.is(acquiring, draining) {
			p.timer.Reset(min(hurriedDrain, m.e.cfg.DrainTimeout.Duration))
		}
	}
}

// fail ends the worker with err; the first error counts. Every partition is
// drained, committed and closed as in any other stop. With hurry the drains are
// short because most of what is in flight can't be finished.
func (e *Engine) fail(err error, hurry bool) {
	e.mu.Lock()
	if e.err == nil {
		e.err = err
	}
	e.mu.Unlock()
	if hurry {
		for _, m := range e.members {
			m.post(m.hurry)
		}
	}
	e.stop()
}

// awaitEnd waits for the members' end, as long as a stop may take once ctx is
// done. Code that hangs in a processor's hook, or a connection that can't be
// closed, must not keep the process until it is killed.
func (e *Engine) awaitEnd(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	timeout := config.StopTimeout(e.cfg.DrainTimeout.Duration)
	select {
	case <-ended:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("the worker did not stop within %s: a part of it hangs", timeout)
	}
}

// result returns why the worker ended.
func (e *Engine) result(stopping error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if stopping == nil {
		return e.err
	}
	return errors.Join(e.err, stopping)
}
