package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
)

// stuckExchange returns an exchange that writes one byte and waits for one.
func stuckExchange() *Exchange {
	return &Exchange{
		Encode: func(to io.Writer, _ int16) error {
			_, err := to.Write([]byte{1})
			return err
		},
		Decode: func(from io.Reader, _ int16) (protocol.Message, error) {
			_, err := from.Read(make([]byte, 1))
			return nil, err
		},
	}
}

// stuckConn takes a request and never answers, until its deadline is set.
type stuckConn struct {
	reading chan struct{}
	expired chan struct{}
}

func (c *stuckConn) Write(p []byte) (int, error) { return len(p), nil }

func (c *stuckConn) Read([]byte) (int, error) {
	close(c.reading)
	<-c.expired
	return 0, io.ErrClosedPipe
}

func (c *stuckConn) SetDeadline(time.Time) error { close(c.expired); return nil }

func TestAbortWaitsUntilNothingReadsTheRequest(t *testing.T) {
	e := stuckExchange()
	conn := &stuckConn{make(chan struct{}), make(chan struct{})}
	var over bool
	ended := make(chan error, 1)
	go func() {
		_, err := e.RawExchange(conn)
		over = true
		ended <- err
	}()
	<-conn.reading
	e.Abort()
	select {
	case <-e.ended:
	default:
		t.Error("Abort returned while the exchange was under way")
	}
	if err := <-ended; !errors.Is(err, ErrAborted) || !over {
		t.Errorf("the exchange ended with %v", err)
	}
	// Nor does one begin afterwards.
	if _, err := e.RawExchange(conn); !errors.Is(err, ErrAborted) {
		t.Errorf("an exchange after abort: %v", err)
	}
}

// TestAbortedExchangeSendsNothing: a request that is still in the transport's
// hands when its sender gave up must not go out later.
func TestAbortedExchangeSendsNothing(t *testing.T) {
	e := NewExchange(1, "", &heartbeat.Request{}, 3)
	e.Abort()
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	if _, err := e.RawExchange(protocol.NewConn(ours, "test")); err == nil {
		t.Error("exchanged after Abort")
	}
}

func TestAbortEndsTheWait(t *testing.T) {
	e := NewExchange(1, "", &heartbeat.Request{}, 3)
	e.Required(map[protocol.ApiKey]int16{protocol.Heartbeat: 3})
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	ended := make(chan error, 1)
	go func() {
		_, err := e.RawExchange(protocol.NewConn(ours, "test"))
		ended <- err
	}()
	if _, err := theirs.Read(make([]byte, 1<<10)); err != nil {
		t.Fatal(err)
	}
	e.Abort()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(10 * time.Second):
		t.Error("still waiting for an answer")
	}
}

// slowConn blocks reads until the deadline is set.
type slowConn struct{ reading, deadline chan struct{} }

func (c *slowConn) Write(b []byte) (int, error) { return len(b), nil }

func (c *slowConn) Read([]byte) (int, error) {
	close(c.reading)
	<-c.deadline
	return 0, fmt.Errorf("deadline: %w", io.ErrClosedPipe)
}

func (c *slowConn) SetDeadline(time.Time) error {
	close(c.deadline)
	return nil
}

func TestAbortEndsAnExchangeAndNoLaterOne(t *testing.T) {
	conn := &slowConn{make(chan struct{}), make(chan struct{})}
	e := stuckExchange()
	outcome := make(chan error)
	go func() {
		_, err := e.RawExchange(conn)
		outcome <- err
	}()
	<-conn.reading
	e.Abort()
	if err := <-outcome; err != ErrAborted { //nolint:errorlint // it is not wrapped
		t.Errorf("got %v", err)
	}
	e.Abort() // would close the deadline channel again
	if _, err := e.RawExchange(conn); err == nil {
		t.Error("a request that was given up is sent")
	}
}
