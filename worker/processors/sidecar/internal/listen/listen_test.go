package listen_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/listen"
	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

// patience is that of tests for what must happen.
const patience = 30 * time.Second

// rig is a Listener and its socket.
type rig struct {
	t      *testing.T
	l      *listen.Listener
	socket string
}

func newRig(t *testing.T, patience time.Duration) *rig {
	t.Helper()
	r := &rig{t: t, socket: filepath.Join(t.TempDir(), "s")}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: r.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	r.l = listen.New(socket, patience)
	t.Cleanup(func() {
		if err := r.l.Close(); err != nil {
			t.Error(err)
		}
		over, cancel := context.WithCancel(context.Background())
		cancel()
		r.l.Wait(over)
	})
	return r
}

// accept returns the next connection with frames.
func (r *rig) accept() net.Conn {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	conn, err := r.acceptWithin(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (r *rig) acceptWithin(ctx context.Context) (net.Conn, error) {
	for {
		conn, err := r.l.Accept(ctx)
		if err != nil || r.l.HasFrames(conn) {
			return conn, err
		}
	}
}

// inBackground accepts a connection beside the test, and closes it with the test.
func (r *rig) inBackground(serve func(net.Conn)) {
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(r.t.Context())
	go func() {
		defer close(ended)
		if worker, err := r.acceptWithin(ctx); err == nil {
			serve(worker)
			<-ctx.Done()
			_ = worker.Close()
		}
	}()
	r.t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// dial connects and sends a text.
func (r *rig) dial(text string) net.Conn {
	r.t.Helper()
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

// client is a client with HTTP/2 that knows nothing of gRPC.
func (r *rig) client() *http.Client {
	transport := &http.Transport{
		Protocols:   new(http.Protocols),
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", r.socket) },
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// call calls a method with a body, and returns the answer's body and status. It may be called
// in any goroutine.
func (r *rig) call(method string, header http.Header, body io.Reader) (answer, status string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://worker"+method, body)
	if err != nil {
		r.t.Error(err)
		return "", ""
	}
	req.Header = header
	resp, err := r.client().Do(req)
	if err != nil {
		r.t.Error(err)
		return "", ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Error(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/grpc" {
		r.t.Errorf("the content type is %q", got)
	}
	return string(text), resp.Trailer.Get("Grpc-Status") + " " + resp.Trailer.Get("Grpc-Message")
}

// TestFrames: a connection without HTTP/2 is handed over as it is, its first byte too.
func TestFrames(t *testing.T) {
	r := newRig(t, patience)
	process := r.dial("\x00abc")
	worker := r.accept()
	var got [4]byte
	if _, err := io.ReadFull(worker, got[:]); err != nil || string(got[:]) != "\x00abc" {
		t.Errorf("the worker reads %q, %v", got, err)
	}
	if _, err := worker.Write([]byte("d")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(process, got[:1]); err != nil || got[0] != 'd' {
		t.Errorf("the process reads %q, %v", got[:1], err)
	}
}

// TestConnectionsWithoutAByte are those of frames, with the error of the read.
func TestConnectionsWithoutAByte(t *testing.T) {
	r := newRig(t, patience)
	r.dial("")
	conn, err := r.l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if !r.l.HasFrames(conn) {
		t.Error("a silent connection has no frames")
	}
	_ = conn.SetReadDeadline(time.Time{})
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent connection reads %d bytes, %v, want a timeout", n, err)
	}
	_ = r.dial("").Close()
	if n, err := r.accept().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a connection that has ended reads %d bytes, %v", n, err)
	}
}

// TestHalfAPreface ends the connection after the same time.
func TestHalfAPreface(t *testing.T) {
	r := newRig(t, 300*time.Millisecond)
	r.inBackground(func(net.Conn) {})
	for _, text := range []string{"PRI *", "POST / HTTP/1.1\r\nHost: x\r\n\r\n"} {
		conn := r.dial(text)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if got, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) || len(got) > 0 {
			t.Errorf("%q: the client reads %q, %v, want the end", text, got, err)
		}
	}
}

// TestACall: messages are frames on the worker's side, and each direction may end alone.
func TestACall(t *testing.T) {
	r := newRig(t, patience)
	large := strings.Repeat("x", 200<<10)
	prefix := "\x00\x03\x20\x00"
	type answer struct{ body, status string }
	answers := make(chan answer)
	go func() {
		body, status := r.call(protocol.Method, nil, strings.NewReader("\x00\x00\x00\x00\x01a\x00"+prefix+large+"\x00\x00\x00\x00\x00"))
		answers <- answer{body, status}
	}()
	worker := r.accept()
	text, err := io.ReadAll(worker)
	if want := "\x00\x00\x00\x01a" + prefix + large + "\x00\x00\x00\x00"; err != nil || string(text) != want {
		t.Errorf("the worker reads %d bytes, %v, want %d", len(text), err, len(want))
	}
	for _, text := range []string{"\x00\x00\x00\x01b", prefix + large, "\x00\x00\x00\x00", "\x00\x00\x00\x01c"} {
		if _, err := io.WriteString(worker, text); err != nil {
			t.Fatal(err)
		}
	}
	_ = worker.Close()
	a := <-answers
	if want := "\x00\x00\x00\x00\x01b\x00" + prefix + large + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01c"; a.body != want || a.status != "0 " {
		t.Errorf("the process gets %d bytes and the status %q, want %d", len(a.body), a.status, len(want))
	}
}

// TestALengthWithoutItsMessage reaches the process, which may refuse it.
func TestALengthWithoutItsMessage(t *testing.T) {
	r := newRig(t, patience)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://worker"+protocol.Method, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.inBackground(func(worker net.Conn) { _, _ = worker.Write([]byte{255, 255, 255, 255}) })
	resp, err := r.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got [5]byte
	if _, err := io.ReadFull(resp.Body, got[:]); err != nil || got != [5]byte{0, 255, 255, 255, 255} {
		t.Errorf("the process reads %v, %v", got, err)
	}
}

// TestOtherCalls get a status that says why.
func TestOtherCalls(t *testing.T) {
	r := newRig(t, patience)
	r.inBackground(func(net.Conn) {})
	for _, c := range []struct {
		method string
		header http.Header
		want   string
	}{
		{"/grpc.health.v1.Health/Check", nil, "12 this socket has no other method than /millrace.processor.v1.Processor/Process"},
		{protocol.Method, http.Header{"Grpc-Encoding": {"gzip"}}, "12 the worker takes no compressed messages"},
	} {
		if answer, status := r.call(c.method, c.header, http.NoBody); answer != "" || status != c.want {
			t.Errorf("%s: the answer is %q, %q, want %q", c.method, answer, status, c.want)
		}
	}
}

// TestACompressedMessage ends its call, as the end of the process does.
func TestACompressedMessage(t *testing.T) {
	r := newRig(t, patience)
	r.inBackground(func(worker net.Conn) {
		_, _ = io.Copy(io.Discard, worker)
		_ = worker.Close()
	})
	body, in := io.Pipe() // the body does not end
	defer func() { _ = in.Close() }()
	go func() { _, _ = io.WriteString(in, "\x01\x00\x00\x00\x01a") }()
	if answer, status := r.call(protocol.Method, nil, body); answer != "" || status != "13 a message is compressed" {
		t.Errorf("the answer is %q, %q", answer, status)
	}
}

// deaf is a connection that reads nothing between two points in time.
type deaf struct {
	net.Conn
	from  *atomic.Bool
	until chan struct{}
}

func (d deaf) Read(p []byte) (int, error) {
	if d.from.Load() {
		<-d.until
	}
	return d.Conn.Read(p)
}

// TestAProcessThatReadsNothing from its socket, as one that is frozen, holds up neither a write
// with a deadline nor the end.
func TestAProcessThatReadsNothing(t *testing.T) {
	r := newRig(t, patience)
	var from atomic.Bool
	until := make(chan struct{})
	transport := &http.Transport{
		Protocols: new(http.Protocols),
		HTTP2:     &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 20}, // the socket is full before
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			conn, err := net.Dial("unix", r.socket)
			return deaf{conn, &from, until}, err
		},
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	body, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://worker"+protocol.Method, body)
		if err != nil {
			return
		}
		if resp, err := transport.RoundTrip(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	defer func() {
		_ = in.Close()
		<-ended
	}()
	worker := r.accept()
	from.Store(true)
	defer close(until)
	message := make([]byte, 1<<20)
	copy(message, "\x00\x0f\xff\xfc")
	_ = worker.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	var err error
	for err == nil {
		_, err = worker.Write(message)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the worker's writes end with %v, want a timeout", err)
	}
	_ = worker.Close()
	if err := r.l.Close(); err != nil {
		t.Error(err)
	}
}

// TestClose: nothing is accepted after it, and a process that holds its connection is waited
// for until the time is up.
func TestClose(t *testing.T) {
	r := newRig(t, patience)
	r.inBackground(func(net.Conn) {})
	_, _ = r.call("/other", nil, http.NoBody) // its client keeps the connection
	held := r.dial("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	_ = held.SetReadDeadline(time.Now().Add(patience))
	if _, err := held.Read(make([]byte, 1)); err != nil {
		t.Fatal(err) // it is not served
	}
	if err := r.l.Close(); err != nil {
		t.Fatal(err)
	}
	if conn, err := r.l.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept returns %v, %v after Close", conn, err)
	}
	if _, err := net.Dial("unix", r.socket); err == nil {
		t.Error("the socket is there after Close")
	}
}

// TestAClientThatKeepsItsConnection after its call has ended is not waited for, and has its
// answer.
func TestAClientThatKeepsItsConnection(t *testing.T) {
	r := newRig(t, patience)
	client := r.client()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://worker"+protocol.Method, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan string, 1)
	go func() {
		resp, err := client.Do(req)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		answers <- fmt.Sprintf("%q %v %s", text, err, resp.Trailer.Get("Grpc-Status"))
	}()
	worker := r.accept()
	if err := r.l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(worker, "\x00\x00\x00\x01a"); err != nil {
		t.Fatal(err) // Close has ended the call
	}
	_ = worker.Close()
	began := time.Now()
	r.l.Wait(t.Context())
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Wait takes %s", took)
	}
	if got, want := <-answers, `"\x00\x00\x00\x00\x01a" <nil> 0`; got != want {
		t.Errorf("the process gets %s, want %s", got, want)
	}
}
