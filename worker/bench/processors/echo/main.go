// Command echo is a processor that writes each value back, with no SDK: Go's processors run
// within the worker. It shows what the protocol costs a process that does little else.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/millrace-dev/millrace/worker/bench/processors/internal/echo"
)

func main() {
	connections, err := strconv.Atoi(os.Getenv("MILLRACE_PROCESSES"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo: MILLRACE_PROCESSES:", err)
		os.Exit(1)
	}
	var group errgroup.Group
	for range connections {
		group.Go(func() error { return serve(os.Getenv("MILLRACE_SOCKET")) })
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

const bufferSize = 256 << 10

// serve answers the batches of one connection, one after another.
func serve(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var process echo.Process
	l := &link{r: bufio.NewReaderSize(conn, bufferSize)}
	if err := process.Hello(l.queue); err != nil {
		return err
	}
	for {
		if _, err := conn.Write(l.answers); err != nil {
			return err
		}
		l.answers = l.answers[:0]
		message, err := l.next()
		if err != nil {
			return err
		}
		if err := process.Answer(message, l.queue); errors.Is(err, echo.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// link has the memory that is used for one frame after another.
type link struct {
	r              *bufio.Reader
	frame, answers []byte
}

// queue is an echo.Send. The answers to a frame are written at once.
func (l *link) queue(start, end []byte) error {
	l.answers = binary.BigEndian.AppendUint32(l.answers, uint32(len(start)+len(end)))
	l.answers = append(append(l.answers, start...), end...)
	return nil
}

// next returns the message of the next frame.
func (l *link) next() ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(l.r, prefix[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(prefix[:]))
	if n > cap(l.frame) {
		l.frame = make([]byte, n)
	}
	l.frame = l.frame[:n]
	_, err := io.ReadFull(l.r, l.frame)
	return l.frame, err
}
