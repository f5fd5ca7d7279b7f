package proxy

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// conn is a worker's connection and the one to the broker that it is joined to.
type conn struct {
	proxy  *proxy
	number uint64
	client net.Conn
	done   chan struct{} // closed when the connection has ended
	state  atomic.Pointer[state]

	mu     sync.Mutex
	server net.Conn // guarded by mu; nil until the broker is connected to
	ended  bool     // guarded by mu

	asked asked
	late  atomic.Bool // a request is on its way to the broker, though the client is gone
}

// state is what a connection suffers at present. It does not change; another one takes its
// place.
type state struct {
	faults  []*Injection
	changed chan struct{} // closed when this state is over
}

func newConn(p *proxy, number uint64, client net.Conn) *conn {
	c := &conn{proxy: p, number: number, client: client, done: make(chan struct{})}
	c.state.Store(&state{changed: make(chan struct{})})
	return c
}

// change replaces the faults. proxy.mu is held.
func (c *conn) change(with func([]*Injection) []*Injection) {
	before := c.state.Load()
	c.state.Store(&state{faults: with(slices.Clone(before.faults)), changed: make(chan struct{})})
	close(before.changed)
}

func (c *conn) suffers(i *Injection) bool { return slices.Contains(c.state.Load().faults, i) }

// first returns a fault of a kind that the connection suffers, or nil.
func (s *state) first(kind Kind) *Injection {
	for _, i := range s.faults {
		if i.fault.Kind == kind {
			return i
		}
	}
	return nil
}

// pass waits until no black hole holds the connection, and returns its state. It reports
// false when the connection has ended.
func (c *conn) pass() (*state, bool) {
	for {
		s := c.state.Load()
		if s.first(BlackHole) == nil {
			return s, true
		}
		select {
		case <-s.changed:
		case <-c.done:
			return nil, false
		}
	}
}

// run connects to the broker, and forwards both directions until one ends.
func (c *conn) run() {
	defer c.close()
	select {
	case <-c.proxy.ready:
	case <-c.done:
		return
	}
	if _, ok := c.pass(); !ok {
		return
	}
	server, err := net.Dial("tcp", c.proxy.target)
	if err != nil || !c.join(server) {
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { c.requests(server) })
	directions.Go(func() { c.answers(server) })
	directions.Wait()
}

// join notes the connection to the broker, unless the client's has ended.
func (c *conn) join(server net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		_ = server.Close()
		return false
	}
	c.server = server
	return true
}

// close ends the connection, and reports whether it had not ended before. Bytes that are
// written already still arrive.
func (c *conn) close() bool { return c.end(nil) }

// end closes the connection and counts that as a hit of a fault, unless the fault is nil.
func (c *conn) end(by *Injection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.ended = true
	if by != nil {
		by.hits.Add(1)
	}
	close(c.done)
	_ = c.client.Close()
	if c.server != nil && !c.late.Load() {
		_ = c.server.Close()
	}
	return true
}

// reset ends the connection like end, and the client sees a reset.
func (c *conn) reset(by *Injection) bool {
	_ = c.client.(*net.TCPConn).SetLinger(0)
	return c.end(by)
}

// asked are the requests that a connection waits for answers to, in their order.
type asked struct {
	mu       sync.Mutex
	requests []request // guarded by mu
}

type request struct {
	correlation uint32
	api         int16
}

func (a *asked) add(r request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r)
}

// answered returns the API of the request with a correlation id, and forgets it and those
// before it, to which no answer came.
func (a *asked) answered(correlation uint32) (api int16, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.IndexFunc(a.requests, func(r request) bool { return r.correlation == correlation })
	if at < 0 {
		return 0, false
	}
	api = a.requests[at].api
	a.requests = slices.Delete(a.requests, 0, at+1)
	return api, true
}
