package frame

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// WorkerHello is the worker's answer to a process's Hello.
type WorkerHello struct {
	Version       uint32
	Ordering      string
	Topic         string
	Group         string
	Processor     string
	MaxRecords    uint32
	MaxBytes      uint64
	LingerMillis  uint32
	ByteCredit    uint64
	MaxFrameBytes uint64
}

// AppendHello appends a frame with the Hello.
func AppendHello(b []byte, h *WorkerHello) []byte {
	start := len(b)
	b = appendTag(begin(b), workerHello, protowire.BytesType)
	var m []byte
	m = appendNumber(m, 1, uint64(h.Version))
	m = appendText(m, 3, h.Ordering)
	m = appendText(m, 4, h.Topic)
	m = appendText(m, 5, h.Group)
	m = appendText(m, 6, h.Processor)
	m = appendNumber(m, 7, uint64(h.MaxRecords))
	m = appendNumber(m, 8, h.MaxBytes)
	m = appendNumber(m, 9, uint64(h.LingerMillis))
	m = appendNumber(m, 10, h.ByteCredit)
	m = appendNumber(m, 11, h.MaxFrameBytes)
	return end(protowire.AppendBytes(b, m), start)
}

// AppendCredit appends a frame with a ByteCredit.
func AppendCredit(b []byte, bytes uint64) []byte { return appendOne(b, workerCredit, bytes) }

// AppendPing appends a frame with a Ping.
func AppendPing(b []byte, id uint64) []byte { return appendOne(b, workerPing, id) }

// AppendDrain appends a frame with a Drain.
func AppendDrain(b []byte) []byte { return appendOne(b, workerDrain, 0) }

// AppendClose appends a frame with a Close; reason is "" for a stop in good order.
func AppendClose(b []byte, reason string) []byte {
	start := len(b)
	b = appendTag(begin(b), workerClose, protowire.BytesType)
	return end(protowire.AppendBytes(b, appendText(nil, 1, readable(reason))), start)
}

// readable replaces bytes that are not UTF-8, such as those of a program's last words, which
// the other side would refuse.
func readable(reason string) string { return strings.ToValidUTF8(reason, "\uFFFD") }

// appendOne appends a frame of a message whose only field is a number.
func appendOne(b []byte, message protowire.Number, value uint64) []byte {
	start := len(b)
	b = appendTag(begin(b), message, protowire.BytesType)
	size := 0
	if value != 0 {
		size = 1 + protowire.SizeVarint(value)
	}
	b = protowire.AppendVarint(b, uint64(size))
	return end(appendNumber(b, 1, value), start)
}

// appendTag appends a field's tag, which is one byte: all numbers are below 16.
func appendTag(b []byte, num protowire.Number, typ protowire.Type) []byte {
	return append(b, byte(num)<<3|byte(typ))
}

// appendNumber appends a field that is left out if it is 0.
func appendNumber(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(appendTag(b, num, protowire.VarintType), v)
}

// appendText appends a field that is left out if it is "".
func appendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(appendTag(b, num, protowire.BytesType), s)
}
