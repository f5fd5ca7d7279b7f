package frame_test

import (
	"bytes"
	"testing"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

func encode(t testing.TB, message string) []byte {
	t.Helper()
	b, err := protocoltest.Encode(protocoltest.Worker, []byte(message))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encodeProcess(t testing.TB, message string) []byte {
	t.Helper()
	b, err := protocoltest.Encode(protocoltest.Process, []byte(message))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzProcessFrame: whatever a process sends, decoding it does not panic, and what this
// package takes means what the definition says.
func FuzzProcessFrame(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.bytes(f)[frame.Prefix:])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if decodeAll(message) != nil {
			return
		}
		want, err := protocoltest.Decode(protocoltest.Process, message)
		if err != nil {
			t.Fatalf("this package takes %x, and the definition does not: %v", message, err)
		}
		sameMessage(t, message, want)
	})
}

// FuzzReader: for any stream, the reader returns whole messages within the limit, or an
// error.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 7, 0, 0, 0, 2, 1, 2})
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Add([]byte{0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 16
		r := frame.NewReader(bytes.NewReader(stream))
		rest := stream
		for {
			message, err := r.Next(limit)
			if err != nil {
				return
			}
			if len(message) == 0 || len(message) > limit || !bytes.Equal(message, rest[frame.Prefix:frame.Prefix+len(message)]) {
				t.Fatalf("read %x of %x", message, rest)
			}
			rest = rest[frame.Prefix+len(message):]
		}
	})
}
