package proxy

import (
	"net"
	"sync"
	"time"
)

const (
	chunkSize   = 64 << 10
	queueLength = 32 // chunks between reading and writing, for what a delay holds back
)

// chunk is some bytes on their way.
type chunk struct {
	buf *[chunkSize]byte
	n   int
	due time.Time
}

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// pump reads from one side, and returns a channel with the chunks. The channel is closed
// when the side has ended.
func (c *conn) pump(from net.Conn) <-chan chunk {
	queue := make(chan chunk, queueLength)
	c.proxy.running.Go(func() {
		defer close(queue)
		var last time.Time
		for {
			buf := chunks.Get().(*[chunkSize]byte)
			n, err := from.Read(buf[:])
			if n > 0 {
				last = c.due(last)
				select {
				case queue <- chunk{buf, n, last}:
				case <-c.done:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	return queue
}

// due returns when bytes that come now are to be written: not before those that came last.
// Without a delay that is the zero time.
func (c *conn) due(last time.Time) time.Time {
	var delay time.Duration
	for _, i := range c.state.Load().faults {
		if i.fault.Kind == Delay {
			delay += i.fault.Delay + i.within()
		}
	}
	if delay == 0 {
		return last
	}
	if due := time.Now().Add(delay); due.After(last) {
		return due
	}
	return last
}

// each calls do with the bytes of each chunk when they are due, until do reports false or
// the connection ends.
func (c *conn) each(queue <-chan chunk, do func(*state, []byte) bool) {
	for ch := range queue {
		if !ch.due.IsZero() && !c.sleep(time.Until(ch.due)) {
			return
		}
		s, ok := c.pass()
		if !ok || !do(s, ch.buf[:ch.n]) || !c.throttle(s, ch.n) {
			return
		}
		chunks.Put(ch.buf)
	}
}

// throttle waits as long as n bytes take. It reports false when the connection has ended.
func (c *conn) throttle(s *state, n int) bool {
	var longest time.Duration
	for _, i := range s.faults {
		if i.fault.Kind == Throttle {
			longest = max(longest, time.Duration(float64(n)/float64(i.fault.Rate)*float64(time.Second)))
		}
	}
	return longest == 0 || c.sleep(longest)
}

// sleep reports false when the connection has ended.
func (c *conn) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}
