package peer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

const (
	// patience is how long a worker may take to listen, and retryAfter the wait between two
	// attempts to reach it.
	patience, retryAfter = time.Minute, 50 * time.Millisecond
	// helloTimeout is how long a worker that listens may take for its Hello.
	helloTimeout = 30 * time.Second
)

// Connect connects to a worker's socket and exchanges Hellos. hello holds the names and
// wishes of this side. A worker that does not listen yet is waited for, for a minute.
func Connect(ctx context.Context, socket string, hello frame.ProcessHello) (*Conn, error) {
	stream, err := dial(ctx, socket)
	if err != nil {
		return nil, fmt.Errorf("connect to the worker at %s: %w", socket, err)
	}
	c := newConn(stream)
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer stop()
	if err := c.greet(hello); err != nil {
		_ = stream.Close()
		return nil, err
	}
	return c, nil
}

func dial(ctx context.Context, socket string) (net.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer net.Dialer
	for {
		stream, err := dialer.DialContext(waiting, "unix", socket)
		if err == nil || !notYet(err) {
			return stream, err
		}
		select {
		case <-time.After(retryAfter):
		case <-waiting.Done():
			return nil, err
		}
	}
}

// notYet reports whether a worker may listen later.
func notYet(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EAGAIN)
}

func (c *Conn) greet(hello frame.ProcessHello) error {
	hello.MinVersion, hello.MaxVersion, hello.BatchCredit = protocol.Version, protocol.Version, 1
	_ = c.stream.SetDeadline(time.Now().Add(helloTimeout)) // fails if the stream is closed
	c.send(frame.AppendProcessHello(nil, &hello))
	message, err := c.reader.Next(frame.DefaultMaxBytes)
	if err != nil {
		return fmt.Errorf("wait for the worker's Hello: %w", err)
	}
	kind, body, err := frame.ParseWorker(message)
	switch {
	case err != nil:
		return err
	case kind == frame.OfWorkerClose:
		reason, err := frame.ParseClose(body)
		return errors.Join(err, errors.New("the worker refuses the connection: "+reason))
	case kind != frame.OfWorkerHello:
		return frame.Mistakef("the worker's first message is not a Hello")
	}
	if c.limits, err = frame.ParseWorkerHello(body); err != nil {
		return err
	}
	c.credit = c.limits.ByteCredit
	return c.stream.SetDeadline(time.Time{})
}
