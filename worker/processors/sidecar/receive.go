package sidecar

import (
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// take acts on one message of the process.
func (c *connection) take(message []byte) error {
	kind, body, err := frame.Parse(message)
	if err != nil {
		return err
	}
	switch kind {
	case frame.Results:
		return c.takeResults(body, len(message))
	case frame.Credit:
		return c.takeCredit(body)
	case frame.Pong:
		return c.takePong(body)
	case frame.Drained:
		return c.takeDrained()
	case frame.Close:
		return c.takeClose(body)
	case frame.Hello:
	}
	return frame.Mistakef("a second Hello")
}

// takeResults takes a Results message, which came in a frame of size bytes.
func (c *connection) takeResults(body []byte, size int) error {
	if limit := c.processor.byteCredit(); c.used+size > limit {
		return frame.Mistakef("the process has sent %d bytes of results, and it has credit for %d", c.used+size, limit)
	}
	c.used += size
	c.processor.metrics.received.Add(float64(size))
	head, err := frame.ParseResults(body)
	if err != nil {
		return err
	}
	call, err := c.callOf(head.Batch)
	if err != nil {
		return err
	}
	c.useful.Store(true)
	c.present = call
	end, err := call.take(c, &head, body)
	if err != nil {
		return err
	}
	c.present = nil
	if end != nil {
		c.complete(call, head.Batch, end)
	}
	c.giveBack(size)
	return nil
}

// callOf returns the call of a batch.
func (c *connection) callOf(id uint64) (*call, error) {
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	if call, ok := c.calls[id]; ok {
		return call, nil
	}
	if id == 0 || id > c.lastID {
		return nil, frame.Mistakef("results of batch %d, which the worker has not sent", id)
	}
	return nil, frame.Mistakef("results of batch %d, which was answered before", id)
}

// complete ends a call that has its results.
func (c *connection) complete(call *call, id uint64, end *ending) {
	s := c.places
	s.mu.Lock()
	delete(c.calls, id)
	s.suspects.clear(call)
	s.admitWaiting() // an exclusive call may wait for the connection to be empty
	s.mu.Unlock()
	call.end(c, id, end.err)
}

// giveBack returns credit for bytes that are taken, some of them at a time.
func (c *connection) giveBack(size int) {
	if c.owed += size; c.owed < c.processor.mostOwed() {
		return
	}
	c.sender.queue(frame.AppendCredit(nil, uint64(c.owed)), nil)
	c.used -= c.owed
	c.owed = 0
}

func (c *connection) takeCredit(body []byte) error {
	n, err := frame.ParseNumber(body)
	if err != nil {
		return err
	}
	s := c.places
	s.mu.Lock()
	defer s.mu.Unlock()
	c.credit = int(min(uint64(c.credit)+min(n, maxCredit), maxCredit))
	s.admitWaiting()
	return nil
}

func (c *connection) takePong(body []byte) error {
	id, err := frame.ParseNumber(body)
	if err != nil {
		return err
	}
	if !c.pinged.CompareAndSwap(id, 0) || id == 0 {
		return frame.Mistakef("a Pong %d that no Ping has asked for", id)
	}
	return nil
}

func (c *connection) takeDrained() error {
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	if len(c.drains) == 0 {
		return frame.Mistakef("a Drained that no Drain has asked for")
	}
	// A call may have its place on the connection, and its batch is behind the Drain.
	for id, call := range c.calls {
		if at := call.sent.Load(); at > 0 && at < c.drains[0] {
			return frame.Mistakef("a Drained while batch %d has no results", id)
		}
	}
	c.drains = c.drains[1:]
	return nil
}

func (c *connection) takeClose(body []byte) error {
	reason, err := frame.ParseClose(body)
	switch {
	case err != nil:
		return err
	case reason != "":
		return errors.New("the process has closed the connection: " + reason)
	default:
		return errGone
	}
}

const (
	// pingInterval is how often a process without batches is asked whether it lives, and
	// silence how long it may take to answer, or to give credit for another batch.
	pingInterval = 10 * time.Second
	silence      = 30 * time.Second
)

// watch ends the connection of a process that holds no batch and is silent, or allows no other
// batch. A process with batches may be busy, and has their timeouts. watch counts its own ticks,
// and looks at no clock: one that is set, or a worker that was paused, must not cost a
// connection.
func (c *connection) watch(stop <-chan struct{}) {
	interval := c.processor.pingInterval
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var heard uint64
	var before idleness
	silent, stingy := time.Duration(0), time.Duration(0)
	for id := uint64(1); ; {
		select {
		case <-stop:
			return
		case <-ticker.C:
			silent += interval
			stingy += interval
			idle, now := c.idleness(), c.heard.Load()
			if !idle.holdsNone || now != heard {
				silent, heard = 0, now
			}
			if !idle.noCredit || idle != before {
				stingy, before = 0, idle
			}
			switch {
			case !idle.holdsNone:
			case silent >= c.processor.silence:
				c.fail(idleError("the process is silent: it holds no batch, and has not answered a Ping for "+c.processor.silence.String()), nil)
				return
			case stingy >= c.processor.silence:
				c.fail(idleError("the process takes no more batches: it holds none, and has given no credit for "+c.processor.silence.String()+
					"; it has to send a BatchCredit of 1 for each batch that it has answered"), nil)
				return
			case c.pinged.CompareAndSwap(0, id):
				c.sender.queue(frame.AppendPing(nil, id), nil)
				id++
			}
		}
	}
}

// idleness is the state of a process for watch.
type idleness struct {
	holdsNone bool
	noCredit  bool // holdsNone, and it can get no batch
	// batches is how many it has ever got: one that has got some since has given credit.
	batches uint64
}

func (c *connection) idleness() idleness {
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	none := len(c.calls) == 0
	return idleness{holdsNone: none, noCredit: none && c.credit == 0 && !c.closing, batches: c.lastID}
}

// idleError ends the connection of a process that holds no batch. A batch that it gets at that
// moment has nothing to do with it.
type idleError string

func (e idleError) Error() string { return string(e) }
