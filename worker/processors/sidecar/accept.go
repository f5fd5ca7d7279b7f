package sidecar

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

const (
	// helloTimeout is how long a connection may take for its Hello.
	helloTimeout = 10 * time.Second
	// helloBytes is the largest Hello.
	helloBytes = 64 << 10
	// leastFrameBytes is the least max_frame_bytes of a process.
	leastFrameBytes = 64 << 10
	// defaultBytes bounds a batch if nothing else does. It is well below the largest
	// message.
	defaultBytes = 16 << 20
	// maxCredit is the highest number of batches on their way to one process.
	maxCredit = 1 << 16
	// maxConnections bounds the memory of connections.
	maxConnections = 1024
)

// accept takes connections until the listener is closed.
func (p *Processor) accept() {
	for {
		stream, err := p.listener.Accept(context.Background())
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			p.opts.Log.Error(err, "can't accept the connection of a process")
		default:
			p.running.Go(func() { p.welcome(stream) })
		}
	}
}

// welcome exchanges the Hellos of a new connection and serves it until its end.
func (p *Processor) welcome(stream net.Conn) {
	r := frame.NewReader(bufio.NewReaderSize(stream, 64<<10))
	hello, err := p.meet(stream, r)
	if errors.Is(err, errGRPC) {
		return
	}
	if err == nil {
		err = fits(&hello)
	}
	if err == nil {
		p.settle(wishesOf(&hello))
		c := newConnection(p, stream, &hello)
		if err = p.places.add(c); err == nil {
			c.serve(r)
			return
		}
	}
	if !errors.Is(err, errEnding) {
		p.failures.add(time.Now(), err)
	}
	p.opts.Log.Error(err, "a process can't be used", "process", nameOf(&hello))
	_ = stream.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = stream.Write(frame.AppendClose(nil, err.Error())) // the connection ends in any case
	_ = stream.Close()
}

// meet takes the Hello of a new connection. errGRPC says that the connection has calls instead.
func (p *Processor) meet(stream net.Conn, r *frame.Reader) (hello frame.ProcessHello, err error) {
	if err := stream.SetReadDeadline(time.Now().Add(helloTimeout)); err != nil {
		return hello, err
	}
	if err := p.places.meet(stream); err != nil {
		return hello, err
	}
	if p.listener.HasFrames(stream) {
		hello, err = readHello(stream, r)
	} else {
		err = errGRPC
	}
	if closed := p.places.forget(stream); closed && err != nil && !errors.Is(err, errGRPC) {
		err = errEnding
	}
	return hello, err
}

// errGRPC is no error of a connection: the calls on it come as connections.
var errGRPC = errors.New("the process speaks gRPC")

func readHello(stream net.Conn, r *frame.Reader) (hello frame.ProcessHello, err error) {
	message, err := r.Next(helloBytes)
	if err != nil {
		return hello, fmt.Errorf("wait %s for the process's Hello: %w", helloTimeout, err)
	}
	kind, body, err := frame.Parse(message)
	switch {
	case err != nil:
		return hello, err
	case kind == frame.Close:
		reason, _ := frame.ParseClose(body)
		return hello, fmt.Errorf("the process closes the connection before its Hello: %s", reason)
	case kind != frame.Hello:
		return hello, frame.Mistakef("the first message is not a Hello")
	}
	hello, err = frame.ParseHello(body)
	if err != nil {
		return hello, err
	}
	return hello, stream.SetReadDeadline(time.Time{})
}

// fits returns an error if the process speaks another version, or takes only frames so small
// that most records would fail.
func fits(hello *frame.ProcessHello) error {
	if hello.MaxFrameBytes > 0 && hello.MaxFrameBytes < leastFrameBytes {
		return fmt.Errorf("the process takes frames of %d bytes, and must take %d at least", hello.MaxFrameBytes, leastFrameBytes)
	}
	if hello.MinVersion <= protocol.Version && protocol.Version <= hello.MaxVersion {
		return nil
	}
	return fmt.Errorf("the process speaks versions %d to %d of the protocol, and this worker version %d: "+
		"take releases of the SDK and of Millrace that fit each other", hello.MinVersion, hello.MaxVersion, protocol.Version)
}

func wishesOf(hello *frame.ProcessHello) Batch {
	return Batch{
		MaxRecords: int(min(hello.MaxRecords, 10_000)),
		MaxBytes:   int(min(hello.MaxBytes, 1<<30)),
		Linger:     time.Duration(hello.LingerMillis) * time.Millisecond,
	}
}

func nameOf(hello *frame.ProcessHello) string {
	switch {
	case hello.SDK == "" && hello.PID == 0:
		return "unknown"
	case hello.SDK == "":
		return fmt.Sprintf("pid %d", hello.PID)
	default:
		return fmt.Sprintf("%s, pid %d", hello.SDK, hello.PID)
	}
}
