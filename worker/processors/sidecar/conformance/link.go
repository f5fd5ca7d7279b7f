package conformance

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

// link is a connection of the program.
type link struct {
	*session
	stream net.Conn
	reader *frame.Reader
	hello  frame.ProcessHello
	terms  terms

	credit  int // batches that may be sent
	lastID  uint64
	batches map[uint64]*batch // that were sent
	size    int               // bytes of the last message
	used    int               // bytes of Results since the last ByteCredit
	drained int               // Drained that came
	pongs   []uint64
}

// terms are the limits in a worker's Hello.
type terms struct {
	maxFrame   int
	byteCredit int
	// keepCredit keeps the bytes that came, until giveBytes is called.
	keepCredit bool
}

func (s *session) linkOf(stream net.Conn) *link {
	l := &link{session: s, stream: stream, reader: frame.NewReader(bufio.NewReader(stream)), batches: map[uint64]*batch{}}
	s.links = append(s.links, l)
	return l
}

// greet takes the Hello of the process and answers it.
func (l *link) greet(t terms) {
	l.takeHello()
	if t.maxFrame == 0 {
		t.maxFrame = frame.DefaultMaxBytes
	}
	t.byteCredit = max(t.byteCredit, t.maxFrame)
	l.terms = t
	l.send(l.workerHello())
}

func (l *link) workerHello() []byte {
	return frame.AppendHello(nil, &frame.WorkerHello{
		Version: protocol.Version, Ordering: "Key", Topic: "conformance", Group: "millrace-default.conformance", Processor: "conformance",
		MaxRecords: 10_000, MaxBytes: 16 << 20, ByteCredit: uint64(l.terms.byteCredit), MaxFrameBytes: uint64(l.terms.maxFrame),
	})
}

func (l *link) takeHello() {
	kind, body := l.receive()
	l.expect(kind == frame.Hello, "the first message is of kind %d, and should be a ProcessHello", kind)
	hello, err := frame.ParseHello(body)
	l.expect(err == nil, "the ProcessHello can't be read: %v", err)
	l.hello, l.credit = hello, int(max(hello.BatchCredit, 1))
}

// send writes a frame. A program that closes the connection in the middle of it is not at
// fault here.
func (l *link) send(b []byte) {
	_ = l.stream.SetWriteDeadline(time.Now().Add(l.opts.Patience))
	if _, err := l.stream.Write(b); errors.Is(err, os.ErrDeadlineExceeded) {
		l.failf("the process does not read for %s", l.opts.Patience)
	}
}

// receive returns the next message. The end of the connection ends the check.
func (l *link) receive() (frame.Kind, []byte) {
	kind, body, err := l.tryReceive(l.opts.Patience)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		l.failf("the process sends nothing for %s", l.opts.Patience)
	case err != nil:
		l.failf("the process ends the connection (%v)", err)
	}
	return kind, body
}

// tryReceive returns the next message, or an error if none comes in time or the connection
// ends. A message that can't be read ends the check.
func (l *link) tryReceive(patience time.Duration) (frame.Kind, []byte, error) {
	limit := l.terms.maxFrame
	if limit == 0 {
		limit = 64 << 10 // the Hello
	}
	_ = l.stream.SetReadDeadline(time.Now().Add(patience))
	message, err := l.reader.Next(limit)
	if err != nil {
		var mistake *frame.Mistake
		if errors.As(err, &mistake) {
			l.failf("%v", err)
		}
		return 0, nil, err
	}
	l.size = len(message)
	kind, body, err := frame.Parse(message)
	if err != nil {
		l.failf("%v", err)
	}
	return kind, body, nil
}

// closes waits until the process closes the connection, and returns the error of its Close,
// "" without one. It closes the other direction then, as a worker does.
func (l *link) closes() string {
	reason := ""
	for deadline := time.Now().Add(l.opts.Patience); ; {
		kind, body, err := l.tryReceive(time.Until(deadline))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.failf("the process does not close the connection within %s", l.opts.Patience)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
			_ = l.stream.Close()
			return reason
		case err != nil:
			l.failf("read from the process: %v", err)
		case kind == frame.Close:
			reason, _ = frame.ParseClose(body)
		}
	}
}

// record is a record of a batch, with a value.
func record(value string) *worker.Record {
	return &worker.Record{Topic: "conformance", Partition: 1, Offset: 7, Timestamp: time.UnixMilli(1767225600000), Key: []byte("key"), Value: []byte(value)}
}
