package lines

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/peer"
)

const (
	// The waits before a program that has ended is started again.
	firstWait, lastWait = 200 * time.Millisecond, 10 * time.Second
	// settling is how long a program is watched before it gets records, until it has answered
	// some. One that can't work, because of a wrong argument for example, mostly ends within
	// it.
	settling = 300 * time.Millisecond
)

// slot runs one process of the program, again and again.
type slot struct {
	opts   Options
	number int
	out    *output
	// useful is raised when any process of the program has answered a batch.
	useful *flag
	// answered says that the present process has answered a batch.
	answered flag
}

// run returns nil when the worker has closed in good order, or ctx has ended.
func (s *slot) run(ctx context.Context) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		s.answered = flag{}
		err := s.runOnce(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if useless, ok := errors.AsType[*uselessError](err); ok {
			return useless
		}
		// A worker that looks for the record that crashes a program has many crashes in a
		// row, and good batches between them.
		if s.answered.raised() {
			wait = firstWait
		}
		s.out.say("process %d: %v; the program is started again in %s", s.number, err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// runOnce runs one process. Its error is why the process has ended by itself, or had to be
// ended.
func (s *slot) runOnce(ctx context.Context) error {
	p, err := start(s.opts.Command, s.out)
	if err != nil {
		return &uselessError{err}
	}
	defer p.end()
	if !s.useful.raised() {
		select {
		case <-p.finished:
			return s.early(p)
		case <-time.After(settling):
		}
	}
	conn, err := peer.Connect(ctx, s.opts.Socket, frame.ProcessHello{SDK: frame.LinesSDK, PID: int64(p.pid())})
	if err != nil {
		return err
	}
	p.setLimit(2 * int(conn.Limits().MaxFrameBytes))
	p.onIdle(conn.Stop)
	stopAtEnd := context.AfterFunc(ctx, conn.Stop)
	defer stopAtEnd()
	err = conn.Serve(func(ctx context.Context, batch *frame.Received, answer *frame.Answer) error {
		err := p.work(ctx, batch, answer)
		if err == nil {
			s.answered.raise()
			s.useful.raise()
		}
		return err
	})
	switch {
	case err != nil:
		return errors.Join(err, p.unanswered())
	case p.isIdle() && ctx.Err() == nil:
		return s.early(p)
	default:
		return nil
	}
}

// early returns the error of a process that has ended while it held no record. If none has
// ever answered one, another start helps as little.
func (s *slot) early(p *program) error {
	<-p.finished
	err := fmt.Errorf("the program has ended while it held no record: %w", p.why)
	if !s.useful.raised() {
		return &uselessError{err}
	}
	return err
}
