package listen

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

const (
	// goodbyeTimeout bounds how long the last message of a stream may take.
	goodbyeTimeout = time.Second
	// chunkBytes is the most of a message that is in memory here.
	chunkBytes = 64 << 10
	// prefix is the number of bytes of a message's length, and flagged that of gRPC's
	// prefix: a flag and the length.
	prefix, flagged = 4, 5
)

// The codes of gRPC's statuses.
const (
	ok            = "0"
	unimplemented = "12"
	internal      = "13"
	unavailable   = "14"
)

// serveStream serves one call of Process: its stream is a connection with frames for Accept.
func (l *Listener) serveStream(w http.ResponseWriter, r *http.Request) {
	status, reason := l.serve(w, r)
	w.Header().Set("Grpc-Status", status)
	w.Header().Set("Grpc-Message", reason)
}

// serve serves a call and returns its status.
func (l *Listener) serve(w http.ResponseWriter, r *http.Request) (status, reason string) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
	if r.URL.Path != protocol.Method {
		return unimplemented, "this socket has no other method than " + protocol.Method
	}
	if e := r.Header.Get("Grpc-Encoding"); e != "" && e != "identity" {
		return unimplemented, "the worker takes no compressed messages"
	}
	worker, process := connect()
	defer process.end()
	if !l.deliver(accepted{conn: worker}) {
		return unavailable, "the worker ends"
	}
	control := http.NewResponseController(w)
	_ = control.Flush() // some clients wait for the headers; a broken stream fails to write
	var others sync.WaitGroup
	var err error
	others.Go(func() { err = process.receive(r.Body) })
	done := make(chan struct{})
	others.Go(func() {
		select {
		case <-worker.closed:
			_ = control.SetWriteDeadline(time.Now().Add(goodbyeTimeout)) // the client may not read
		case <-done:
		}
	})
	process.send(w, control)
	close(done)
	process.end()
	_ = control.SetReadDeadline(time.Unix(1, 0)) // ends receive
	others.Wait()
	if errors.Is(err, errCompressed) {
		return internal, err.Error()
	}
	return ok, ""
}

var errCompressed = errors.New("a message is compressed")

// stream is the worker's end of a call, a connection with frames. It is a pipe for each
// direction, since one may end before the other.
type stream struct {
	net.Conn          // the frames from the process
	out      net.Conn // those for it
	once     sync.Once
	closed   chan struct{}
}

// end is the call's end of a stream.
type end struct{ in, out net.Conn }

func connect() (*stream, *end) {
	fromProcess, in := net.Pipe()
	forProcess, out := net.Pipe()
	return &stream{Conn: fromProcess, out: forProcess, closed: make(chan struct{})}, &end{in: in, out: out}
}

// Write implements net.Conn.
func (s *stream) Write(p []byte) (int, error) { return s.out.Write(p) }

// SetWriteDeadline implements net.Conn.
func (s *stream) SetWriteDeadline(t time.Time) error { return s.out.SetWriteDeadline(t) }

// SetDeadline implements net.Conn.
func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// Close implements net.Conn.
func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return errors.Join(s.Conn.Close(), s.out.Close())
}

// end ends both directions.
func (e *end) end() {
	_ = e.in.Close() // a pipe closes without errors
	_ = e.out.Close()
}

// receive makes frames of the messages in a body until it ends, or the worker closes the
// stream, and returns why. The worker looks at their lengths.
func (e *end) receive(body io.Reader) error {
	defer func() { _ = e.in.Close() }()
	r := bufio.NewReaderSize(body, chunkBytes)
	buf := make([]byte, chunkBytes)
	for {
		if _, err := io.ReadFull(r, buf[:flagged]); err != nil {
			return err
		}
		if buf[0] != 0 {
			return errCompressed // against the call's headers
		}
		if err := copyMessage(e.in, r, buf[1:], prefix, func() {}); err != nil {
			return err
		}
	}
}

// send makes messages of the frames from the worker until it closes the stream, or the client
// takes no more.
func (e *end) send(w io.Writer, control *http.ResponseController) {
	r := bufio.NewReaderSize(e.out, chunkBytes)
	buf := make([]byte, chunkBytes)
	flush := func() { _ = control.Flush() } // the next write fails too
	for {
		if _, err := io.ReadFull(r, buf[1:flagged]); err != nil {
			return
		}
		buf[0] = 0
		if err := copyMessage(w, r, buf, flagged, flush); err != nil {
			return
		}
	}
}

// copyMessage copies a message of which the first bytes are in buf: its prefix, whose last 4
// bytes are the length of the rest. It flushes what it has written before it waits for more.
func copyMessage(w io.Writer, r *bufio.Reader, buf []byte, have int, flush func()) error {
	left := int64(binary.BigEndian.Uint32(buf[have-prefix : have]))
	for have > 0 || left > 0 {
		n := 0
		if left > 0 && (have == 0 || r.Buffered() > 0) {
			var err error
			if n, err = r.Read(buf[have:min(int64(len(buf)), int64(have)+left)]); err != nil {
				return err
			}
		}
		if _, err := w.Write(buf[:have+n]); err != nil {
			return err
		}
		if r.Buffered() == 0 {
			flush()
		}
		left -= int64(n)
		have = 0
	}
	return nil
}
