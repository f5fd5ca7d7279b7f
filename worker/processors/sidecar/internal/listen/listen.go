// Package listen accepts the connections of processes on a Unix socket, for the worker and for
// the checks of the protocol. A process sends frames, or the same messages over gRPC. For
// either its connection is a net.Conn with frames, so nothing else knows the difference.
//
// It serves gRPC with the HTTP/2 of net/http, which the worker has for its metrics already. The
// module google.golang.org/grpc would make the worker 6 MB larger, and all that is needed of
// it is a byte before each length and a status behind the last message.
package listen

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// acceptPause follows an error, such as too many open files.
	acceptPause = 100 * time.Millisecond
	// idleTimeout is how long a connection with HTTP/2 may have no stream.
	idleTimeout = 10 * time.Second
	// maxConnections bounds the connections with HTTP/2, and the calls on one of them.
	maxConnections = 1024
)

// Listener accepts the connections of processes. Its methods are safe for concurrent use.
type Listener struct {
	socket *net.UnixListener
	server *http.Server

	accepted chan accepted
	http     chan net.Conn // connections for the server
	close    sync.Once
	closed   chan struct{} // by Close
	err      error         // of the socket's Close
	over     chan struct{} // closed when no connection with HTTP/2 may last

	running sync.WaitGroup // the goroutines of the Listener and of connections with HTTP/2

	mu     sync.Mutex
	served int // connections with HTTP/2; guarded by mu
}

// accepted is a result of Accept.
type accepted struct {
	conn net.Conn
	err  error
}

// New accepts connections on a socket, which the Listener closes. A process that speaks gRPC
// may take as long as patience to begin. The caller must Close the Listener and Wait.
func New(socket *net.UnixListener, patience time.Duration) *Listener {
	l := &Listener{
		socket:   socket,
		accepted: make(chan accepted), http: make(chan net.Conn),
		closed: make(chan struct{}), over: make(chan struct{}),
	}
	l.server = &http.Server{
		Handler: http.HandlerFunc(l.serveStream), Protocols: new(http.Protocols),
		ReadHeaderTimeout: patience, IdleTimeout: idleTimeout,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxConnections},
		ErrorLog: log.New(io.Discard, "", 0), // a client learns its mistakes itself
	}
	l.server.Protocols.SetUnencryptedHTTP2(true)
	l.running.Go(func() { _ = l.server.Serve(handedOver{l}) }) // ends with Close
	l.running.Go(l.run)
	return l
}

// Accept waits for the next connection, of which HasFrames has to be asked before it is read.
// After Close the error is net.ErrClosed.
func (l *Listener) Accept(ctx context.Context) (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the acceptance of connections. Those that were accepted go on.
func (l *Listener) Close() error {
	l.close.Do(func() {
		close(l.closed)
		l.err = l.socket.Close()
	})
	return l.err
}

// Wait waits after Close until the calls over HTTP/2 have ended, and the processes have all of
// their answers. It closes the connections that have no call: a client may keep its channel open
// for as long as it likes. When ctx ends, it closes the others too. It may be called once, and
// not beside HasFrames.
func (l *Listener) Wait(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { close(l.over) })
	defer stop()
	_ = l.server.Shutdown(ctx) // it fails when ctx ends
	l.running.Wait()
}

// run takes connections until the Listener is closed.
func (l *Listener) run() {
	for {
		conn, err := l.socket.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			l.deliver(accepted{err: err})
			time.Sleep(acceptPause)
		default:
			if !l.deliver(accepted{conn: &opened{Conn: conn, closed: make(chan struct{})}}) {
				_ = conn.Close()
			}
		}
	}
}

// deliver hands over a result of Accept. It returns false if the Listener is closed.
func (l *Listener) deliver(a accepted) bool {
	select {
	case l.accepted <- a:
		return true
	case <-l.closed:
		return false
	}
}

// HasFrames waits for the first byte of a connection from Accept, until its read deadline. It
// returns false if the process speaks gRPC: then the connection is the Listener's, and Accept
// returns each call on it as a connection.
//
// The first byte of HTTP/2's preface would be the length of a Hello of 1.3 GB, and a Hello has
// 64 KiB at most.
func (l *Listener) HasFrames(conn net.Conn) bool {
	o, ok := conn.(*opened)
	if !ok || !o.speaksHTTP() {
		return true
	}
	if l.enter() {
		l.running.Go(func() {
			l.handOver(o)
			l.leave()
		})
	} else {
		_ = o.Close()
	}
	return false
}

// enter counts a connection with HTTP/2. It returns false if there are too many.
func (l *Listener) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.served == maxConnections {
		return false
	}
	l.served++
	return true
}

func (l *Listener) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served--
}

// handOver gives a connection to the server and waits for its end.
func (l *Listener) handOver(o *opened) {
	defer func() { _ = o.Close() }()
	select {
	case l.http <- o:
	case <-l.closed:
		return
	}
	select {
	case <-o.closed:
	case <-l.over:
	}
}

// opened is a connection whose first byte is read before the others.
type opened struct {
	net.Conn
	buf    [1]byte
	first  []byte // the byte, until it is read again
	err    error  // of the read, in the place of the byte
	once   sync.Once
	closed chan struct{}
}

// speaksHTTP reads the first byte.
func (o *opened) speaksHTTP() bool {
	var n int
	n, o.err = io.ReadFull(o.Conn, o.buf[:])
	o.first = o.buf[:n]
	return n > 0 && o.buf[0] == 'P'
}

// Read implements net.Conn.
func (o *opened) Read(p []byte) (int, error) {
	switch {
	case len(o.first) > 0:
		n := copy(p, o.first)
		o.first = o.first[n:]
		return n, nil
	case o.err != nil:
		return 0, o.err
	default:
		return o.Conn.Read(p)
	}
}

// Close implements net.Conn.
func (o *opened) Close() error {
	o.once.Do(func() { close(o.closed) })
	return o.Conn.Close()
}

// handedOver is the net.Listener of the server.
type handedOver struct{ *Listener }

// Accept implements net.Listener.
func (h handedOver) Accept() (net.Conn, error) {
	select {
	case conn := <-h.http:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (h handedOver) Addr() net.Addr { return h.socket.Addr() }
