// Package echo answers a worker's messages with each record's value, with no SDK and no memory
// for each message. The programs that use it differ in how the messages travel.
package echo

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of the messages that a process needs for an echo.
const (
	toHello   = 1 // of a message to the worker
	toResults = 2
	toCredit  = 3
	toPong    = 4
	toDrained = 5
	fromBatch = 2 // of one from the worker
	fromPing  = 4
	fromDrain = 5
	fromClose = 6
	batches   = 2 // on their way to this connection
)

// ErrClosed is the end in good order.
var ErrClosed = errors.New("the worker has closed the connection")

// Send takes an encoded message for the worker in two parts, which are valid during the call.
type Send func(start, end []byte) error

// Process answers the messages of one connection, one after another, in memory that it reuses.
type Process struct{ start, results []byte }

// Hello sends the Hello of the process.
func (p *Process) Hello(send Send) error {
	return p.send(send, toHello, appendNumber(appendNumber(appendNumber(nil, 1, 1), 2, 1), 9, batches))
}

// Answer sends the answers to a message, if there are any.
func (p *Process) Answer(message []byte, send Send) error {
	num, _, n := protowire.ConsumeTag(message)
	if n < 0 {
		return errors.New("a message is not Protobuf")
	}
	body, n := protowire.ConsumeBytes(message[n:])
	if n < 0 {
		return errors.New("a message is not Protobuf")
	}
	switch num {
	case fromBatch:
		p.results = appendEchoes(p.results[:0], body)
		if err := p.send(send, toResults, p.results); err != nil {
			return err
		}
		return p.send(send, toCredit, []byte{1 << 3, 1})
	case fromPing:
		return p.send(send, toPong, body)
	case fromDrain:
		return p.send(send, toDrained, nil)
	case fromClose:
		return ErrClosed
	}
	return nil
}

func (p *Process) send(send Send, message protowire.Number, body []byte) error {
	p.start = protowire.AppendVarint(protowire.AppendTag(p.start[:0], message, protowire.BytesType), uint64(len(body)))
	return send(p.start, body)
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
