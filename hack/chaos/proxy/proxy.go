package proxy

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// proxy forwards the connections to one broker.
type proxy struct {
	address string
	target  string        // set before ready is closed
	ready   chan struct{} // closed when target is known
	closed  chan struct{}
	running sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener                 // guarded by mu; nil while connections are refused
	next     uint64                       // guarded by mu; the number of the next connection
	conns    map[*conn]bool               // guarded by mu
	faults   []*Injection                 // guarded by mu; those in force
	timers   map[*Injection][]*time.Timer // guarded by mu; the resets to come
}

func listen() (*proxy, error) {
	listener, err := listenAnywhere()
	if err != nil {
		return nil, err
	}
	p := &proxy{
		address: listener.Addr().String(), ready: make(chan struct{}), closed: make(chan struct{}),
		conns: map[*conn]bool{}, timers: map[*Injection][]*time.Timer{},
	}
	p.serve(listener)
	return p, nil
}

// listenAnywhere listens on a free port below the range from which systems take the ports of
// outgoing connections, so the port stays free while the proxy refuses connections.
func listenAnywhere() (listener net.Listener, err error) {
	const first, count = 15000, 15000
	for range 100 {
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(count)))
		if err == nil {
			return listener, nil
		}
	}
	return nil, err
}

// serve accepts connections until the listener is closed. p.mu is held, or nobody knows p.
func (p *proxy) serve(listener net.Listener) {
	p.listener = listener
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.add(client)
		}
	})
}

// add takes charge of a new connection, which the present faults hit too.
func (p *proxy) add(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed() {
		_ = client.Close()
		return
	}
	p.next++
	c := newConn(p, p.next, client)
	p.conns[c] = true
	for _, i := range p.faults {
		p.hit(c, i)
	}
	p.running.Go(func() {
		c.run()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, c)
	})
}

// begin puts a fault in force.
func (p *proxy) begin(i *Injection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, i)
	if i.fault.Kind == Refuse && p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for c := range p.conns {
		p.hit(c, i)
	}
}

// hit makes a fault hit a connection, if it chooses that. p.mu is held.
func (p *proxy) hit(c *conn, i *Injection) {
	if !i.chooses(c.number) {
		return
	}
	switch i.fault.Kind {
	case Reset:
		p.timers[i] = append(p.timers[i], time.AfterFunc(i.within(), func() { c.reset(i) }))
		return
	case Refuse:
		c.reset(i)
		return
	case Delay, Throttle, BlackHole, LoseRequests, LoseAnswers:
		i.hits.Add(1)
	}
	c.change(func(faults []*Injection) []*Injection { return append(faults, i) })
}

// end ends a fault.
func (p *proxy) end(i *Injection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = slices.DeleteFunc(p.faults, func(f *Injection) bool { return f == i })
	for _, timer := range p.timers[i] {
		timer.Stop()
	}
	delete(p.timers, i)
	for c := range p.conns {
		if c.suffers(i) && i.fault.Kind == BlackHole && i.float() < 0.5 {
			c.reset(nil)
		}
		c.change(func(faults []*Injection) []*Injection {
			return slices.DeleteFunc(faults, func(f *Injection) bool { return f == i })
		})
	}
	if i.fault.Kind == Refuse {
		p.accept()
	}
}

// accept listens again after refusals, unless another fault still refuses. p.mu is held.
func (p *proxy) accept() {
	refused := slices.ContainsFunc(p.faults, func(f *Injection) bool { return f.fault.Kind == Refuse })
	if refused || p.listener != nil || p.isClosed() {
		return
	}
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		// Somebody has the port for a moment.
		time.AfterFunc(50*time.Millisecond, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.accept()
		})
		return
	}
	p.serve(listener)
}

func (p *proxy) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

func (p *proxy) close() error {
	p.mu.Lock()
	close(p.closed)
	var err error
	if p.listener != nil {
		err = p.listener.Close()
	}
	for c := range p.conns {
		c.close()
	}
	p.mu.Unlock()
	p.running.Wait()
	return err
}
