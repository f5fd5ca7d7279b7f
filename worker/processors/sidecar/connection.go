package sidecar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

// connection is that of one process. One goroutine reads from it, and one writes. The
// fields that places guards belong to its mu.
type connection struct {
	processor *Processor
	places    *places
	name      string // of the process
	lines     bool   // it is the adapter of package lines
	log       logr.Logger
	maxFrame  int // bytes of a message that the process takes
	sender    *sender
	// heard counts the frames that came, and pinged is the Ping that has no Pong yet, 0 if there
	// is none.
	heard  atomic.Uint64
	pinged atomic.Uint64
	useful atomic.Bool // some results have come

	// Guarded by places.mu.
	credit   int              // batches that may be sent
	calls    map[uint64]*call // under way, by the ids of their batches
	lastID   uint64
	reserved *reservation // keeps other calls away, for one that waits for the others' end
	solo     bool         // its call has it for itself
	closing  bool         // takes no more calls
	drains   []uint64     // for each Drain without its Drained: its place among the frames

	// Of the goroutine that reads.
	owed    int   // bytes of credit that are not given back yet
	used    int   // bytes of credit that are used
	present *call // whose results it takes
}

func newConnection(p *Processor, stream net.Conn, hello *frame.ProcessHello) *connection {
	c := &connection{
		processor: p, places: &p.places, name: nameOf(hello), lines: hello.SDK == frame.LinesSDK, maxFrame: frame.DefaultMaxBytes,
		credit: int(min(max(hello.BatchCredit, 1), maxCredit)), calls: map[uint64]*call{},
		sender: newSender(stream),
	}
	c.log = p.opts.Log.WithValues("process", c.name)
	if hello.MaxFrameBytes > 0 {
		c.maxFrame = int(min(hello.MaxFrameBytes, 1<<32-1))
	}
	return c
}

// greet sends the worker's Hello.
func (c *connection) greet() {
	p := c.processor
	cfg := &p.opts.Worker
	c.sender.queue(frame.AppendHello(nil, &frame.WorkerHello{
		Version: protocol.Version, Ordering: string(cfg.Ordering), Topic: cfg.Input.Topic, Group: cfg.Input.GroupID, Processor: cfg.Name,
		MaxRecords: uint32(p.limits.MaxRecords), MaxBytes: uint64(p.limits.MaxBytes), LingerMillis: uint32(p.limits.Linger.Milliseconds()),
		ByteCredit: uint64(p.byteCredit()), MaxFrameBytes: uint64(p.maxFrame),
	}), nil)
}

// serve reads and writes until the connection ends.
func (c *connection) serve(r *frame.Reader) {
	c.log.Info("a process has connected")
	p := c.processor
	stop := make(chan struct{})
	p.running.Go(c.sender.run)
	p.running.Go(func() { c.watch(stop) })
	err := c.read(r)
	close(stop)
	c.fail(err, c.present)
	c.fail(err, nil) // does nothing, unless the call has just ended
}

// read takes frames until the connection ends, and returns why.
func (c *connection) read(r *frame.Reader) error {
	for {
		message, err := r.Next(c.processor.maxFrame)
		if err != nil {
			return c.ended(err)
		}
		c.heard.Add(1)
		if err := c.take(message); err != nil {
			return err
		}
	}
}

// ended names the end of a stream.
func (c *connection) ended(err error) error {
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	switch {
	case c.closing && len(c.calls) == 0:
		return errGone
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the process has ended, or closed its connection, without a Close")
	default:
		return fmt.Errorf("read from the process: %w", err)
	}
}

// send queues the batch of a call.
func (c *connection) send(ctx context.Context, call *call) error {
	if err := ctx.Err(); err != nil {
		return failure.Untried(err)
	}
	batch := frame.Batch{ID: call.id, Topic: call.recs[0].Topic, TimeoutMillis: timeoutOf(ctx), Records: call.recs, Attempts: call.attempts}
	size := call.encoder.Size(&batch)
	if size > c.maxFrame {
		return tooLarge(size, c.maxFrame)
	}
	c.processor.metrics.sent.Add(float64(size))
	buf := c.sender.buffer(size + frame.Prefix)
	c.sender.queue(call.encoder.Append(buf, &batch), &call.sent)
	return nil
}

// Everything below needs places.mu, unless its comment says otherwise.

// emptierThan reports whether c has fewer calls under way than another connection, or as
// many and more credit. Any connection is emptier than none.
func (c *connection) emptierThan(other *connection) bool {
	if other == nil || len(c.calls) != len(other.calls) {
		return other == nil || len(c.calls) < len(other.calls)
	}
	return c.credit > other.credit
}

// exclusive reports whether a call has the connection for itself.
func (c *connection) exclusive() bool {
	return c.solo && len(c.calls) > 0
}

// enter begins a call.
func (c *connection) enter(call *call) {
	call.delayed = call.delayed || len(c.calls) > 0
	c.lastID++
	c.credit--
	c.calls[c.lastID], c.solo = call, call.exclusive
	call.begin(c, c.lastID)
}

// drain sends a Drain.
func (c *connection) drain() {
	var place atomic.Uint64
	c.sender.queue(frame.AppendDrain(nil), &place)
	c.drains = append(c.drains, place.Load())
}

// finish sends a Close in good order.
func (c *connection) finish() {
	c.closing = true
	c.sender.queue(frame.AppendClose(nil, ""), nil)
}

// release ends a call whose batch was not sent. It takes places.mu.
func (c *connection) release(call *call) {
	s := c.places
	s.mu.Lock()
	defer s.mu.Unlock()
	call.mu.Lock()
	defer call.mu.Unlock()
	if call.conn == nil { // the connection has just ended, and the call with it
		<-call.ended //nolint:errcheck // the batch was not sent, so the error of send counts
		return
	}
	delete(c.calls, call.id)
	call.conn = nil
	c.credit++
	s.admitWaiting()
}

// fail ends the connection because of an error, which the process gets. culprit is the call
// that is at fault, nil if it is not known which one is. A second call does nothing. It takes
// places.mu.
func (c *connection) fail(err error, culprit *call) {
	s := c.places
	s.mu.Lock()
	calls, ok := s.remove(c, culprit)
	if !ok {
		s.mu.Unlock()
		return
	}
	endings := s.judge(c, calls, culprit, err)
	s.admitWaiting()
	s.mu.Unlock()
	c.report(err, len(calls))
	c.sender.stop(goodbye(err))
	for id, call := range calls {
		call.end(c, id, endings[id])
	}
}

// report logs and counts the end of the connection.
func (c *connection) report(err error, calls int) {
	if errors.Is(err, errGone) {
		c.processor.metrics.closed.Inc()
		c.log.Info("a process has closed its connection", "batchesOnTheirWay", calls)
		return
	}
	c.processor.metrics.broken.Inc()
	if !errors.Is(err, errImpatient) {
		c.processor.failures.add(time.Now(), err)
	}
	c.log.Error(err, "the connection of a process has ended", "batchesUnderWay", calls)
}

// goodbye returns the reason that the process gets; it is "" if there is none.
func goodbye(err error) string {
	if errors.Is(err, errGone) {
		return ""
	}
	return err.Error()
}

// errGone is the end of a connection that the process has closed in good order.
var errGone = errors.New("the process has closed the connection")

// errorAbout names the process in an error.
func (c *connection) errorAbout(err error) error { return fmt.Errorf("process %s: %w", c.name, err) }
