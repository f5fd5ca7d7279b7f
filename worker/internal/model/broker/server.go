package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Server answers Kafka's protocol for a Cluster, over connections in memory. Everything
// in it waits for channels and timers only, so that it runs on a test's virtual clock.
type Server struct {
	// Fault decides what befalls a request; nil is nothing. It must not block.
	Fault func(host *Host, key kmsg.Key) Fault
	// MarkerDelay is the time from the preparation of a transaction's end to its
	// completion; nil is none.
	MarkerDelay func() time.Duration

	brokers int32

	mu      sync.Mutex
	cluster *Cluster               // guarded by mu
	groups  map[string]*membership // guarded by mu
	topics  map[string]int32       // their numbers of partitions; guarded by mu
	changed chan struct{}          // closed at the next change of anything; guarded by mu
	members int                    // ids given to members; guarded by mu
}

// Fault is what befalls a request.
type Fault struct {
	Before time.Duration // the request arrives that much later
	After  time.Duration // the answer does
	// Lose is what gets lost, with the connection.
	Lose Loss
}

// Loss is a part of an exchange that gets lost.
type Loss uint8

// The losses.
const (
	Nothing Loss = iota
	Request
	Answer
	Late // the connection is lost before the request arrives, and it arrives after Before
)

// NewServer returns a server of so many brokers, which share the partitions.
func NewServer(version int, brokers int32) *Server {
	return &Server{
		brokers: brokers, cluster: New(version), groups: make(map[string]*membership), topics: make(map[string]int32),
		changed: make(chan struct{}),
	}
}

// Do calls do with the cluster, while nothing else uses it.
func (s *Server) Do(do func(c *Cluster)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(s.cluster)
	s.change()
}

// CreateTopic adds a topic, or partitions to it.
func (s *Server) CreateTopic(name string, partitions int32) {
	s.Do(func(c *Cluster) {
		c.CreateTopic(name, partitions)
		s.topics[name] = partitions
	})
}

// change wakes everybody who waits for something. It needs mu.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// await waits until done reports true, the time is over or gone is closed. It holds mu
// while it calls done, and when it returns.
func (s *Server) await(limit time.Duration, gone <-chan struct{}, done func() bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		changed := s.changed
		s.mu.Unlock()
		over := false
		select {
		case <-changed:
		case <-timer.C:
			over = true
		case <-gone:
			over = true
		}
		s.mu.Lock()
		if over {
			return
		}
	}
}

// Host is a place in the network that connects to the brokers.
type Host struct {
	Name   string
	server *Server

	mu    sync.Mutex
	cut   bool                  // guarded by mu
	conns map[net.Conn]struct{} // the brokers' ends; guarded by mu
}

// NewHost returns a place in the network.
func (s *Server) NewHost(name string) *Host {
	return &Host{Name: name, server: s, conns: make(map[net.Conn]struct{})}
}

// Dial connects to a broker, whatever its address is.
func (h *Host) Dial(_ context.Context, _, _ string) (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cut {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	client, broker := net.Pipe()
	h.conns[broker] = struct{}{}
	go h.serve(broker)
	return &wireConn{Conn: client}, nil
}

// Cut cuts the host off, or connects it again. Requests that have arrived are still
// carried out.
func (h *Host) Cut(off bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut = off
	if !off {
		return
	}
	for conn := range h.conns {
		_ = conn.Close() // a pipe's never fails
	}
	clear(h.conns)
}

// wireConn is a client's end of a pipe that fails as a TCP connection does.
type wireConn struct {
	net.Conn
	closed atomic.Bool
}

// Read implements net.Conn.
func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.failed("read", err)
}

// Write implements net.Conn.
func (c *wireConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.failed("write", err)
}

// Close implements net.Conn.
func (c *wireConn) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

func (c *wireConn) failed(op string, err error) error {
	switch {
	case !errors.Is(err, io.ErrClosedPipe):
		return err
	case c.closed.Load():
		return &net.OpError{Op: op, Net: "tcp", Err: net.ErrClosed}
	default:
		return &net.OpError{Op: op, Net: "tcp", Err: syscall.ECONNRESET}
	}
}

func (h *Host) serve(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.conns, conn)
	}()
	gone := make(chan struct{})
	requests := make(chan []byte)
	go func() {
		defer close(gone)
		for {
			body, err := readRequest(conn)
			if err != nil {
				return
			}
			requests <- body
		}
	}()
	defer func() { // the reader may hold a request
		_ = conn.Close()
		for {
			select {
			case <-requests:
			case <-gone:
				return
			}
		}
	}()
	for {
		select {
		case <-gone:
			return
		case body := <-requests:
			answer, err := h.answer(conn, body, gone)
			if err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

func readRequest(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(from, body)
	return body, err
}

// answer carries out a request. An error ends the connection.
func (h *Host) answer(conn net.Conn, body []byte, gone <-chan struct{}) ([]byte, error) {
	key, version := int16(binary.BigEndian.Uint16(body)), int16(binary.BigEndian.Uint16(body[2:]))
	req, err := decode(key, version, body)
	if err != nil {
		return nil, err
	}
	var fault Fault
	if h.server.Fault != nil {
		fault = h.server.Fault(h, kmsg.Key(key))
	}
	if fault.Lose == Late {
		_ = conn.Close()
		gone = nil // it is on its way, whatever becomes of the connection
	}
	time.Sleep(fault.Before)
	if fault.Lose == Request {
		return nil, errLost
	}
	res := h.server.handle(req, gone)
	if fault.Lose != Nothing {
		return nil, errLost
	}
	time.Sleep(fault.After)
	return encode(body[4:8], res), nil
}

var errLost = errors.New("lost on the way")

func decode(key, version int16, body []byte) (kmsg.Request, error) {
	req := kmsg.RequestForKey(key)
	if req == nil {
		return nil, fmt.Errorf("request %d is not known", key)
	}
	req.SetVersion(version)
	rest := body[8:]
	if n := int16(binary.BigEndian.Uint16(rest)); n > 0 { // the client id
		rest = rest[n:]
	}
	rest = rest[2:]
	if req.IsFlexible() {
		rest = rest[1:] // no tagged fields
	}
	return req, req.ReadFrom(rest)
}

func encode(correlation []byte, res kmsg.Response) []byte {
	b := append(make([]byte, 4, 256), correlation...)
	if res.IsFlexible() && res.Key() != int16(kmsg.ApiVersions) {
		b = append(b, 0)
	}
	b = res.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}
