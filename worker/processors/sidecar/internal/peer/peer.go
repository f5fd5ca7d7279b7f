// Package peer is a process's end of a connection to a worker, as worker/sdks/protocol
// specifies it. It takes one batch at a time, and answers everything else by itself.
package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

const (
	// goodbyeTimeout bounds how long the last frame may take, and the worker's answer to it.
	goodbyeTimeout = 5 * time.Second
	// keepBytes is the largest buffer that is kept for other batches.
	keepBytes = 4 << 20
)

// Work processes a batch, and gives the answer one result for each record. ctx ends with the
// connection. An error ends the connection and is the reason that the worker gets.
type Work func(ctx context.Context, batch *frame.Received, answer *frame.Answer) error

// Conn is a connection to a worker. Its methods are safe for concurrent use.
type Conn struct {
	stream net.Conn
	reader *frame.Reader
	limits frame.WorkerHello

	writing sync.Mutex // of frames; no other lock is taken while it is held

	mu      sync.Mutex
	changed sync.Cond // credit has grown, or over is set
	// Guarded by mu.
	credit   uint64 // bytes of results
	busy     bool   // a batch has no results yet
	drains   int    // Drains without a Drained
	closing  bool   // the worker sends no more batches
	stopping bool   // this side takes no more batches
	over     bool   // nothing more is read or written
	failure  error  // of the work

	// Of the goroutine that reads.
	used usedIDs
}

func newConn(stream net.Conn) *Conn {
	c := &Conn{stream: stream, reader: frame.NewReader(bufio.NewReaderSize(stream, 64<<10))}
	c.changed.L = &c.mu
	return c
}

// Limits returns the worker's Hello.
func (c *Conn) Limits() frame.WorkerHello { return c.limits }

// Serve hands each batch to work until the connection ends. It returns nil if one of the
// sides has closed it in good order. It may be called once.
func (c *Conn) Serve(work Work) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	batches := make(chan []byte, 1) // the worker has credit for one
	var working sync.WaitGroup
	working.Go(func() { c.work(ctx, batches, work) })
	err := c.read(batches)
	cancel()
	close(batches)
	c.end()
	working.Wait()
	return c.reason(err)
}

// Stop ends the connection in good order, after the batch that this side holds.
func (c *Conn) Stop() {
	c.mu.Lock()
	idle := !c.busy && !c.stopping
	c.stopping = true
	c.mu.Unlock()
	if idle {
		c.goodbye("")
	}
}

// fail ends the connection because of an error.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	if c.failure == nil && !c.over {
		c.failure = err
	}
	c.mu.Unlock()
	c.goodbye(err.Error())
	c.end()
}

// goodbye sends the last frame. The worker may not read any more, so it has a limited time.
func (c *Conn) goodbye(reason string) {
	_ = c.stream.SetDeadline(time.Now().Add(goodbyeTimeout)) // fails if the stream is closed
	c.send(frame.AppendProcessClose(nil, reason))
}

// end closes the stream.
func (c *Conn) end() {
	c.mu.Lock()
	c.over = true
	c.changed.Broadcast()
	c.mu.Unlock()
	_ = c.stream.Close() // the connection ends in any case
}

// reason returns the result of Serve, after reading has ended with err.
func (c *Conn) reason(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.failure != nil:
		return c.failure
	case c.closing || c.stopping && !c.busy:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the worker is gone")
	default:
		return err
	}
}

// send writes a frame. If the stream is broken, the goroutine that reads learns it too.
func (c *Conn) send(b []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.stream.Write(b)
}

// work answers batches until the channel is closed.
func (c *Conn) work(ctx context.Context, batches <-chan []byte, work Work) {
	var batch frame.Received
	var answer frame.Answer
	var buffer []byte
	for message := range batches {
		if ctx.Err() != nil {
			continue
		}
		err := frame.ParseBatch(message, &batch)
		if err == nil && len(batch.Records) == 0 {
			err = frame.Mistakef("a batch has no records")
		}
		if err == nil {
			answer.Begin(batch.ID)
			err = work(ctx, &batch, &answer)
		}
		if err != nil {
			c.fail(err)
			continue
		}
		c.fit(&batch, &answer)
		if buffer = answer.Append(buffer[:0]); c.takeCredit(uint64(len(buffer) - frame.Prefix)) {
			c.send(buffer)
			c.finish()
		}
		if cap(buffer) > keepBytes {
			buffer, answer, batch = nil, frame.Answer{}, frame.Received{}
		}
	}
}

// fit replaces results that are larger than the worker takes.
func (c *Conn) fit(batch *frame.Received, answer *frame.Answer) {
	size, limit := answer.Size(), c.limits.MaxFrameBytes
	if uint64(size) <= limit {
		return
	}
	f := frame.Failure{Message: fmt.Sprintf("the results of %d records have %d bytes, and the worker takes %d", len(batch.Records), size, limit)}
	if len(batch.Records) == 1 {
		f.Kind = frame.Permanent
	}
	answer.FailAll(batch.ID, &f)
}

// takeCredit waits until the worker takes so many bytes; false is the end of the connection.
func (c *Conn) takeCredit(size uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.credit < size && !c.over {
		c.changed.Wait()
	}
	c.credit -= min(size, c.credit)
	return !c.over
}

// finish goes on after a batch whose results are sent.
func (c *Conn) finish() {
	c.mu.Lock()
	c.busy = false
	drains := c.drains
	c.drains = 0
	closing, stopping := c.closing, c.stopping
	c.mu.Unlock()
	for range drains {
		c.send(frame.AppendDrained(nil))
	}
	switch {
	case closing:
		c.end()
	case stopping:
		c.goodbye("")
	default:
		c.send(frame.AppendBatchCredit(nil, 1))
	}
}
