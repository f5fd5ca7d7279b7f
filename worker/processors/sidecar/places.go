package sidecar

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/failure"
)

const (
	// maxPatience is how long a call waits for a process before it ends as untried, so that
	// the engine's goroutine is free again.
	maxPatience = 10 * time.Second
	// leastKept is how long a reservation is kept for the next call of its record, which the
	// engine makes within about a second.
	leastKept = 2 * time.Second
)

// places are the connections and the calls that wait for room on one of them. Its methods
// are safe for concurrent use.
type places struct {
	mu          sync.Mutex
	connections []*connection // guarded by mu, and their state with them
	strangers   []net.Conn    // connections without a Hello; guarded by mu
	waiting     []*call       // guarded by mu
	suspects    suspects      // guarded by mu
	draining    bool          // guarded by mu
	closed      bool          // guarded by mu
}

// meet notes a connection that has to say Hello. A connection too many is refused before that,
// since each takes memory.
func (s *places) meet(stream net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errEnding
	case len(s.connections)+len(s.strangers) >= maxConnections:
		return fmt.Errorf("the worker has %d connections already", maxConnections)
	}
	s.strangers = append(s.strangers, stream)
	return nil
}

// forget forgets a connection that has said Hello, or can't be used. It reports whether the
// worker ends.
func (s *places) forget(stream net.Conn) (closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers = slices.DeleteFunc(s.strangers, func(other net.Conn) bool { return other == stream })
	return s.closed
}

// add lets calls use a connection.
func (s *places) add(c *connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errEnding
	}
	s.connections = append(s.connections, c)
	c.greet()
	if s.draining {
		c.drain()
	}
	s.admitWaiting()
	return nil
}

// acquire finds a connection for a call and enters the call there. It waits until one has
// credit, within half of the time that the attempt has left.
func (s *places) acquire(ctx context.Context, c *call) (*connection, error) {
	s.mu.Lock()
	c.exclusive, c.delayed = s.suspects.has(c), false
	if conn := s.admit(c); conn != nil {
		s.mu.Unlock()
		return conn, nil
	}
	c.delayed = true
	s.waiting = append(s.waiting, c)
	s.mu.Unlock()
	patience := patienceOf(ctx)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case conn := <-c.admitted:
		return conn, nil
	case <-timer.C:
		return s.giveUp(c, max(2*patience, leastKept))
	case <-ctx.Done():
		return s.giveUp(c, 0)
	}
}

// giveUp ends the wait of a call, unless it has just been admitted. A reservation is kept so
// long for the record's next call: calls that take longer than the wait would otherwise keep
// the record from an empty connection for ever.
func (s *places) giveUp(c *call, keep time.Duration) (*connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, c)
	if i < 0 {
		return <-c.admitted, nil
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	for _, conn := range s.connections {
		if r := conn.reserved; r.isFor(c) && keep > 0 {
			r.unused = time.AfterFunc(keep, func() { s.endReservation(conn, r) })
		} else if r.isFor(c) {
			conn.reserved = nil
		}
	}
	s.admitWaiting()
	if len(s.connections) == 0 {
		return nil, failure.Untried(errors.New("no process is connected: it is starting, or has ended; its output says why"))
	}
	return nil, failure.Untried(fmt.Errorf("all %d processes were busy for too long: allow more processes, or fewer goroutines (concurrency)", len(s.connections)))
}

// endReservation ends the reservation of a connection whose record has not come again.
func (s *places) endReservation(conn *connection, r *reservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if conn.reserved == r && r.unused != nil {
		conn.reserved = nil
		s.admitWaiting()
	}
}

func patienceOf(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return maxPatience
	}
	return min(maxPatience, time.Until(deadline)/2)
}

// admitWaiting admits waiting calls, in the order of their arrival, while there is room. The
// caller holds mu.
func (s *places) admitWaiting() {
	s.waiting = slices.DeleteFunc(s.waiting, func(c *call) bool {
		conn := s.admit(c)
		if conn != nil {
			c.admitted <- conn
		}
		return conn != nil
	})
}

// admit enters the call on the connection with the fewest calls under way, and the most
// credit among these. It returns nil if there is no room. An exclusive call goes to a
// connection without calls; until one is found, admit keeps the others from one. The caller
// holds mu.
func (s *places) admit(c *call) *connection {
	var best, emptiest, reserved *connection
	for _, conn := range s.connections {
		if conn.closing || conn.reserved != nil && !conn.reserved.isFor(c) || conn.exclusive() {
			continue
		}
		if conn.reserved != nil {
			conn.reserved.use()
			reserved = conn
		}
		if conn.emptierThan(emptiest) {
			emptiest = conn
		}
		if conn.credit > 0 && (!c.exclusive || len(conn.calls) == 0) && conn.emptierThan(best) {
			best = conn
		}
	}
	switch {
	case best != nil:
		if reserved != nil { // perhaps another one
			reserved.reserved = nil
		}
		best.enter(c)
	case c.exclusive && reserved == nil && emptiest != nil:
		emptiest.reserved = newReservation(c)
	}
	return best
}

// drain tells all processes, and those that come, not to wait for more records.
func (s *places) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.draining = true
	for _, conn := range s.connections {
		conn.drain()
	}
}

// close tells all processes that no more batches come.
func (s *places) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.connections {
		conn.finish()
	}
	for _, stream := range s.strangers {
		_ = stream.SetReadDeadline(time.Now()) // ends the wait for its Hello
	}
}

// errEnding is the error of a connection that comes too late.
var errEnding = errors.New("the worker ends")

// failAll ends all connections.
func (s *places) failAll(err error) {
	s.mu.Lock()
	connections := slices.Clone(s.connections)
	s.mu.Unlock()
	for _, conn := range connections {
		conn.fail(err, nil)
	}
}
