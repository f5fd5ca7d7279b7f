package frame

import "google.golang.org/protobuf/encoding/protowire"

// Kind says which message a process has sent.
type Kind uint8

// The messages of a process, by their numbers in ProcessFrame.
const (
	Hello Kind = iota + 1
	Results
	Credit
	Pong
	Drained
	Close
)

// Parse returns which message the bytes of a ProcessFrame hold, and the bytes of that
// message, which are a part of b.
func Parse(b []byte) (Kind, []byte, error) {
	number, message, err := only(b, protowire.Number(Close))
	return Kind(number), message, err
}

// only returns the number and the bytes of the one message in a frame, whose highest number
// is last.
func only(b []byte, last protowire.Number) (number protowire.Number, message []byte, err error) {
	f := fields{rest: b}
	for f.next() {
		if f.typ != protowire.BytesType || f.num > last {
			continue
		}
		if number != 0 {
			return 0, nil, Mistakef("a frame holds two messages")
		}
		number, message = f.num, f.bytes
	}
	if f.err == nil && number == 0 {
		f.err = Mistakef("a frame holds no message that version 1 of the protocol knows")
	}
	return number, message, f.err
}

// LinesSDK is the SDK in the Hello of the adapter for programs that read and write lines.
const LinesSDK = "millrace-lines"

// ProcessHello is the first message of a process.
type ProcessHello struct {
	MinVersion, MaxVersion uint32
	SDK                    string
	PID                    int64
	MaxRecords             uint32
	MaxBytes               uint64
	LingerMillis           uint32
	BatchCredit            uint32
	MaxFrameBytes          uint64
}

// ParseHello decodes a ProcessHello.
func ParseHello(b []byte) (ProcessHello, error) {
	var h ProcessHello
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			h.MinVersion = uint32(f.varint)
		case f.isVarint(2):
			h.MaxVersion = uint32(f.varint)
		case f.isBytes(3):
			f.text()
		case f.isBytes(4):
			h.SDK = shorten(f.text(), maxText)
		case f.isVarint(5):
			h.PID = int64(f.varint)
		case f.isVarint(6):
			h.MaxRecords = uint32(f.varint)
		case f.isVarint(7):
			h.MaxBytes = f.varint
		case f.isVarint(8):
			h.LingerMillis = uint32(f.varint)
		case f.isVarint(9):
			h.BatchCredit = uint32(f.varint)
		case f.isVarint(10):
			h.MaxFrameBytes = f.varint
		}
	}
	return h, f.err
}

// ParseNumber decodes a message whose only field is a number: the batches of a BatchCredit,
// or the id of a Pong.
func ParseNumber(b []byte) (uint64, error) {
	var v uint64
	f := fields{rest: b}
	for f.next() {
		if f.isVarint(1) {
			v = f.varint
		}
	}
	return v, f.err
}

// ParseClose decodes a Close and returns its error, "" for a stop in good order.
func ParseClose(b []byte) (string, error) {
	var reason string
	f := fields{rest: b}
	for f.next() {
		if f.isBytes(1) {
			reason = shorten(f.text(), maxText)
		}
	}
	return reason, f.err
}
