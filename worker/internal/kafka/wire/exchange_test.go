package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
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

// peerExchange exchanges a byte for ten with a peer that sends them as it likes.
func peerExchange(t *testing.T, silence time.Duration, answer func(to net.Conn)) error {
	t.Helper()
	ours, theirs := net.Pipe()
	var peer sync.WaitGroup
	defer peer.Wait()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	peer.Go(func() {
		if _, err := theirs.Read(make([]byte, 1)); err == nil {
			answer(theirs)
		}
	})
	e := stuckExchange()
	e.Silence = silence
	e.Decode = func(from io.Reader, _ int16) (protocol.Message, error) {
		_, err := io.ReadFull(from, make([]byte, 10))
		return nil, err
	}
	_, err := e.RawExchange(protocol.NewConn(ours, "test"))
	return err
}

// TestSilence: a peer that sends nothing is given up, and one that is slow is not.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := peerExchange(t, 10*time.Second, func(net.Conn) {})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the exchange with a silent peer ended with %v", err)
		}
		err = peerExchange(t, 10*time.Second, func(to net.Conn) {
			for range 10 {
				time.Sleep(8 * time.Second)
				_, _ = to.Write([]byte{1})
			}
		})
		if err != nil {
			t.Errorf("the exchange with a slow peer ended with %v", err)
		}
	})
}

// TestSilenceEndsWithAbort: an exchange that was aborted gets no more time.
func TestSilenceEndsWithAbort(t *testing.T) {
	e := stuckExchange()
	e.Silence = time.Hour
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	e.Decode = func(from io.Reader, _ int16) (protocol.Message, error) {
		go e.Abort()
		for aborted := false; !aborted; {
			e.mu.Lock()
			aborted = e.aborted
			e.mu.Unlock()
		}
		from.(*watchedConn).extended = time.Time{}
		_, err := from.Read(make([]byte, 1))
		return nil, err
	}
	go func() { _, _ = theirs.Read(make([]byte, 1)) }()
	if _, err := e.RawExchange(protocol.NewConn(ours, "test")); !errors.Is(err, ErrAborted) {
		t.Errorf("the exchange ended with %v", err)
	}
}
