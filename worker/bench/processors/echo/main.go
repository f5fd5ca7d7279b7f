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
	"google.golang.org/protobuf/encoding/protowire"
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

// The fields of the frames that a process needs for an echo.
const (
	fromHello  = 1 // of a frame from the process
	fromBatch  = 2 // of a frame from the worker
	fromPing   = 4
	fromDrain  = 5
	fromClose  = 6
	toResults  = 2
	toCredit   = 3
	toPong     = 4
	toDrained  = 5
	batches    = 2 // on their way to this connection
	bufferSize = 256 << 10
)

// errClosed is the end in good order.
var errClosed = errors.New("the worker has closed the connection")

// serve answers the batches of one connection, one after another.
func serve(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	hello := appendNumber(appendNumber(appendNumber(nil, 1, 1), 2, 1), 9, batches)
	if _, err := conn.Write(appendFrame(nil, fromHello, hello)); err != nil {
		return err
	}
	p := &process{r: bufio.NewReaderSize(conn, bufferSize)}
	for {
		if err := p.next(); errors.Is(err, errClosed) {
			return nil
		} else if err != nil {
			return err
		}
		if len(p.answer) == 0 {
			continue
		}
		if _, err := conn.Write(p.answer); err != nil {
			return err
		}
	}
}

// process has the memory that is used for one frame after another.
type process struct {
	r                      *bufio.Reader
	frame, results, answer []byte
}

// next reads a frame and sets the answer to it.
func (p *process) next() error {
	var prefix [4]byte
	if _, err := io.ReadFull(p.r, prefix[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(prefix[:]))
	if n > cap(p.frame) {
		p.frame = make([]byte, n)
	}
	p.frame = p.frame[:n]
	if _, err := io.ReadFull(p.r, p.frame); err != nil {
		return err
	}
	num, _, n := protowire.ConsumeTag(p.frame)
	if n < 0 {
		return errors.New("a frame is not Protobuf")
	}
	body, n := protowire.ConsumeBytes(p.frame[n:])
	if n < 0 {
		return errors.New("a frame is not Protobuf")
	}
	p.answer = p.answer[:0]
	switch num {
	case fromBatch:
		p.results = appendEchoes(p.results[:0], body)
		p.answer = appendFrame(p.answer, toResults, p.results)
		p.answer = appendFrame(p.answer, toCredit, []byte{1 << 3, 1})
	case fromPing:
		p.answer = appendFrame(p.answer, toPong, body)
	case fromDrain:
		p.answer = appendFrame(p.answer, toDrained, nil)
	case fromClose:
		return errClosed
	}
	return nil
}

// appendEchoes appends the results of a batch: of each record its value, with its key and
// headers.
func appendEchoes(b, batch []byte) []byte {
	index := 0
	for len(batch) > 0 {
		num, n, m := next(batch)
		if m < 0 {
			return b
		}
		switch num {
		case 1:
			b = append(b, batch[:n+m]...) // the batch's id has the same field
		case 4:
			record, _ := protowire.ConsumeBytes(batch[n:])
			b = appendEcho(b, index, record)
			index++
		}
		batch = batch[n+m:]
	}
	return b
}

func appendEcho(b []byte, index int, record []byte) []byte {
	value := field(record, 5)
	output := 1 + protowire.SizeBytes(len(value)) + 4
	size := 1 + protowire.SizeBytes(output)
	if index > 0 {
		size += 1 + protowire.SizeVarint(uint64(index))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.BytesType), uint64(size))
	if index > 0 {
		b = appendNumber(b, 1, uint64(index))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.BytesType), uint64(output))
	b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), value)
	return appendNumber(appendNumber(b, 6, 1), 8, 1) // same_key, same_headers
}

// next returns the number of the first field, and the bytes of its tag and of its value; m is
// negative if the message is damaged.
func next(message []byte) (num protowire.Number, n, m int) {
	num, typ, n := protowire.ConsumeTag(message)
	if n < 0 {
		return 0, 0, n
	}
	return num, n, protowire.ConsumeFieldValue(num, typ, message[n:])
}

// field returns a field of a message whose value is bytes.
func field(message []byte, wanted protowire.Number) []byte {
	for len(message) > 0 {
		num, n, m := next(message)
		if m < 0 {
			return nil
		}
		if num == wanted {
			value, _ := protowire.ConsumeBytes(message[n:])
			return value
		}
		message = message[n+m:]
	}
	return nil
}

func appendNumber(b []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func appendFrame(b []byte, message protowire.Number, body []byte) []byte {
	size := 1 + protowire.SizeBytes(len(body))
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	return protowire.AppendBytes(protowire.AppendTag(b, message, protowire.BytesType), body)
}
