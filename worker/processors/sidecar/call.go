package sidecar

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// call is one call of ProcessBatch. Calls are reused: whoever finds one by the id of its
// batch locks it and looks whether it is still under way there.
type call struct {
	admitted chan *connection // gets the connection of a call that has waited for one
	ended    chan error       // gets the error of the call when it has ended

	// Set by the goroutine of ProcessBatch before others know the call.
	recs      []*worker.Record
	out       []*worker.Outputs
	attempts  []uint32
	encoder   frame.Encoder
	exclusive bool // nothing else may be under way on its connection

	// delayed says that it has waited for a connection, or shares it with calls that came
	// before, so that its time may have gone to others; guarded by places.mu.
	delayed bool
	// sent is the place of its batch among the connection's frames, 0 before it has one.
	sent atomic.Uint64

	mu       sync.Mutex
	conn     *connection // nil when the call is not under way; guarded by mu
	id       uint64      // of its batch on conn; guarded by mu
	answered []bool      // by record; guarded by mu
	left     int         // records without a result; guarded by mu
	bytes    int         // of results; guarded by mu
}

// ending is how a call ends.
type ending struct{ err error }

func newCall() *call {
	return &call{admitted: make(chan *connection, 1), ended: make(chan error, 1)}
}

// ProcessBatch implements worker.BatchProcessor. It sends the records as one batch and waits
// for its results.
func (p *Processor) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	c := p.calls.Get().(*call)
	c.prepare(ctx, recs, out)
	err := p.perform(ctx, c)
	c.recs, c.out = nil, nil
	p.calls.Put(c)
	return err
}

func (c *call) prepare(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) {
	c.recs, c.out = recs, out
	c.attempts = c.attempts[:0]
	for _, rec := range recs {
		c.attempts = append(c.attempts, uint32(worker.Attempt(ctx, rec)))
	}
}

func (p *Processor) perform(ctx context.Context, c *call) error {
	conn, err := p.places.acquire(ctx, c)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := conn.send(ctx, c); err != nil {
		conn.release(c)
		return err
	}
	defer func() { p.metrics.calls.Observe(time.Since(began).Seconds()) }()
	select {
	case err := <-c.ended:
		return err
	case <-ctx.Done():
		conn.fail(conn.overrun(ctx), c)
		return <-c.ended
	}
}

// errOverrun is the end of a call that has run out of time.
var errOverrun = errors.New("the process took longer than the timeout of an attempt")

// overrun returns why a call can't wait any longer for its results. The user of a program that
// never answers anything has to look for another mistake than that of one that is slow.
func (c *connection) overrun(ctx context.Context) error {
	switch {
	case !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errImpatient
	case c.useful.Load():
		return errOverrun
	case c.lines:
		return fmt.Errorf("%w, and has answered nothing since it connected: "+
			"with adapter lines, a program must write one line for each line that it gets, and write it at once", errOverrun)
	default:
		return fmt.Errorf("%w, and has answered nothing since it connected", errOverrun)
	}
}

// errImpatient ends a connection because the worker stops, or has lost the partition: the
// process has done nothing wrong.
var errImpatient = errors.New("the worker can't wait any longer")

// timeoutOf returns how long a process may take for a batch, in whole milliseconds; 0 is for
// ever.
func timeoutOf(ctx context.Context) uint32 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	left := time.Until(deadline).Milliseconds()
	return uint32(min(max(left, 1), 1<<32-1))
}

// begin enters the call on a connection.
func (c *call) begin(conn *connection, id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.id = conn, id
	c.sent.Store(0)
	c.left, c.bytes = len(c.recs), 0
	c.answered = append(c.answered[:0], make([]bool, len(c.recs))...)
}

// isUnderWay reports whether the call is that of a batch of conn. The caller holds mu.
func (c *call) isUnderWay(conn *connection, id uint64) bool { return c.conn == conn && c.id == id }

// end ends the call, if it is still that of this batch. The connection must not know it any
// more.
func (c *call) end(conn *connection, id uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isUnderWay(conn, id) {
		return
	}
	c.conn = nil
	c.ended <- err
}

// take gives results to their records, and returns how the call ends if they are the last
// ones. body is a Results message.
func (c *call) take(conn *connection, head *frame.BatchResults, body []byte) (*ending, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isUnderWay(conn, head.Batch) {
		return nil, nil // it has just ended, with its connection
	}
	if c.bytes += len(body); c.bytes > conn.processor.maxFrame {
		return nil, frame.Mistakef("the results of batch %d have more than %d bytes", head.Batch, conn.processor.maxFrame)
	}
	if head.Failure != nil {
		return &ending{errorOf(head.Failure)}, nil
	}
	// The engine encodes the outputs when this call has returned, so they are copied to
	// memory that lasts until then.
	kept := append(c.out[0].Buffer(len(body)), body...)
	d := frame.NewDecoder(kept)
	for {
		r, ok, err := d.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if err := c.takeOne(&r); err != nil {
			return nil, err
		}
	}
	if c.left > 0 {
		return nil, nil
	}
	return &ending{}, nil
}

// takeOne gives a result to its record. The caller holds mu.
func (c *call) takeOne(r *frame.Result) error {
	switch i := int(r.Index); {
	case i >= len(c.recs):
		return frame.Mistakef("batch %d has %d records, and a result is for the one at %d", c.id, len(c.recs), i)
	case c.answered[i]:
		return frame.Mistakef("the record at %d of batch %d has two results", i, c.id)
	}
	c.answered[r.Index] = true
	c.left--
	out := c.out[r.Index]
	if r.Failure != nil {
		out.Fail(errorOf(r.Failure))
		return nil
	}
	return r.Emit(c.recs[r.Index], out)
}

// tooLarge returns the error of a batch whose message has more bytes than its process takes.
// The engine makes smaller batches of several records at once.
func tooLarge(size, limit int) error {
	return worker.Permanent(fmt.Errorf("the message for the process has %d bytes, and the process takes %d", size, limit))
}
