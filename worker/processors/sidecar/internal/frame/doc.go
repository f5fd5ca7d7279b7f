// Package frame encodes what a worker sends to a process and decodes what it receives, as
// worker/sdks/protocol defines it. It works in memory that its callers reuse, and allocates
// nothing for a batch in the steady state. Its tests compare it with messages that are
// compiled from the definition.
//
// The files fromworker.go and toworker.go have the other direction, for the processes that
// are written in Go.
package frame

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Prefix is the number of bytes of a frame before its message: the message's length.
const Prefix = 4

// DefaultMaxBytes is the largest message, in bytes, of a side that names no limit.
const DefaultMaxBytes = 64 << 20

// The fields of a WorkerFrame.
const (
	workerHello protowire.Number = iota + 1
	workerBatch
	workerCredit
	workerPing
	workerDrain
	workerClose
)

// begin appends a prefix without a length, and end sets it. The message is appended in
// between.
func begin(b []byte) []byte { return append(b, 0, 0, 0, 0) }

func end(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-Prefix))
	return b
}

// Mistake is the error of a frame that breaks the protocol.
type Mistake struct{ reason string }

// Error implements error.
func (m *Mistake) Error() string { return m.reason }

// Mistakef returns a Mistake with a formatted reason.
func Mistakef(format string, args ...any) error { return &Mistake{fmt.Sprintf(format, args...)} }
