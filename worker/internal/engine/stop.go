package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// fail ends the worker with err; the first error counts. Every partition is
// drained, committed and closed as in any other stop. With hurry the drains are
// short, because most records in flight can't be finished.
func (p *process) fail(err error, hurry bool) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	if hurry {
		for _, f := range p.feeders {
			f.post(func(f *feeder) { f.drains.hurry() })
		}
	}
	p.stop()
}

// failed reports whether an error ends the worker.
func (p *process) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}

// awaitEnd waits for the members' end. Once ctx is done it waits no longer than a stop
// may take: code that hangs in a processor's hook, or a connection that can't be
// closed, must not keep the process until it is killed.
func (p *process) awaitEnd(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	timeout := config.StopTimeout(p.cfg.DrainTimeout.Duration)
	select {
	case <-ended:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("the worker did not stop within %s: a part of it hangs", timeout)
	}
}

// result returns why the worker ended.
func (p *process) result(stopping error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stopping == nil {
		return p.err
	}
	return errors.Join(p.err, stopping)
}
