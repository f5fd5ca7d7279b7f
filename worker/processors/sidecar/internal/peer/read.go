package peer

import (
	"errors"
	"slices"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// read takes frames until the connection ends, and returns why.
func (c *Conn) read(batches chan<- []byte) error {
	for {
		message, err := c.reader.Next(frame.DefaultMaxBytes)
		if err == nil {
			err = c.take(message, batches)
		}
		if _, mistake := errors.AsType[*frame.Mistake](err); mistake {
			c.fail(err)
		}
		if err != nil {
			return err
		}
	}
}

// take acts on one message of the worker.
func (c *Conn) take(message []byte, batches chan<- []byte) error {
	kind, body, err := frame.ParseWorker(message)
	if err != nil {
		return err
	}
	switch kind {
	case frame.OfWorkerBatch:
		return c.takeBatch(body, batches)
	case frame.OfWorkerCredit:
		return c.takeBytes(body)
	case frame.OfWorkerPing:
		id, err := frame.ParseNumber(body)
		if err == nil {
			c.send(frame.AppendPong(nil, id))
		}
		return err
	case frame.OfWorkerDrain:
		c.takeDrain()
		return nil
	case frame.OfWorkerClose:
		return c.takeClose(body)
	case frame.OfWorkerHello:
	}
	return frame.Mistakef("the worker sends a second Hello")
}

func (c *Conn) takeBatch(body []byte, batches chan<- []byte) error {
	id, err := frame.ParseNumber(body)
	if err != nil {
		return err
	}
	if !c.used.add(id) {
		return frame.Mistakef("the worker sends a batch with the id %d, which it has used before", id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.busy:
		return frame.Mistakef("the worker sends a batch without credit")
	case c.stopping:
		return nil // it has crossed this side's Close, and goes to another process
	}
	c.busy = true
	batches <- slices.Clone(body) // it has room: the last batch has results
	return nil
}

func (c *Conn) takeBytes(body []byte) error {
	n, err := frame.ParseNumber(body)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.credit += min(n, 1<<40)
	c.changed.Broadcast()
	return nil
}

func (c *Conn) takeDrain() {
	c.mu.Lock()
	busy := c.busy
	if busy {
		c.drains++
	}
	c.mu.Unlock()
	if !busy {
		c.send(frame.AppendDrained(nil))
	}
}

// takeClose ends the connection, or lets its batch end it.
func (c *Conn) takeClose(body []byte) error {
	reason, err := frame.ParseClose(body)
	if err != nil {
		return err
	}
	if reason != "" {
		return errors.New("the worker closes the connection: " + reason)
	}
	c.mu.Lock()
	c.closing = true
	busy := c.busy
	c.mu.Unlock()
	if !busy {
		c.end() // the next read fails
	}
	return nil
}

// usedIDs notes which ids of batches were used. A worker counts them up, so that a number is
// enough for nearly all of them.
type usedIDs struct {
	below uint64 // all below it were used, other than 0
	apart map[uint64]bool
}

// add returns false if the id was used before.
func (u *usedIDs) add(id uint64) bool {
	u.below = max(u.below, 1)
	if id < u.below && id > 0 || u.apart[id] {
		return false
	}
	if u.apart == nil {
		u.apart = map[uint64]bool{}
	}
	u.apart[id] = true
	for u.apart[u.below] {
		delete(u.apart, u.below)
		u.below++
	}
	return true
}
