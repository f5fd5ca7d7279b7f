package proxy

import (
	"net"
	"time"
)

// answerPatience is how long the connection of a late request stays open for its answer.
// A broker does not carry out a request of a connection that has ended.
const answerPatience = 2 * time.Second

// requests forwards what the client sends.
func (c *conn) requests(server net.Conn) {
	defer c.close()
	f := newFrames(requestHeader)
	var out, held []byte
	var late *Injection // holds the present request
	lost := false
	c.each(c.pump(c.client), func(s *state, buf []byte) bool {
		if lost = lost || s.first(LoseRequests) != nil; lost {
			return true
		}
		out = out[:0]
		for len(buf) > 0 {
			var part []byte
			var begins bool
			part, buf, begins = f.next(buf)
			if begins {
				c.asked.add(request{f.correlation(), f.api()})
				late = s.late(f.api())
			}
			if late == nil {
				out = append(out, part...)
				continue
			}
			if held = append(held, part...); f.left == 0 {
				c.deliverLate(server, append(out, held...), late)
				return false
			}
		}
		_, err := server.Write(out)
		return err == nil
	})
}

// late returns the fault that holds back a request of an API, or nil.
func (s *state) late(api int16) *Injection {
	for _, i := range s.faults {
		if i.fault.Kind == LateRequest && i.request(api) {
			return i
		}
	}
	return nil
}

// deliverLate resets the client's connection, and passes a request on after the fault's
// delay.
func (c *conn) deliverLate(server net.Conn, request []byte, i *Injection) {
	defer func() { _ = server.Close() }()
	c.late.Store(true) // reset leaves the broker's side open
	if c.reset(i) && c.proxy.sleep(i.fault.Delay) {
		if _, err := server.Write(request); err == nil {
			c.proxy.sleep(answerPatience)
		}
	}
}

// sleep reports false when the proxy has been closed.
func (p *proxy) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-p.closed:
		return false
	}
}
