package testkit

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"testing"
)

// LengthClaims decodes variants of a good answer, and fails the test if one takes more
// memory than most, in bytes. In the variants a number of every usual size and encoding,
// at every place in the answer, claims to be a great length.
func LengthClaims(t *testing.T, answer []byte, most uint64, decode func(data []byte)) {
	t.Helper()
	claims := map[string][]byte{
		"int16": binary.BigEndian.AppendUint16(nil, 1<<15-1),
		// The rest of an answer that claims to be large has room for these.
		"likely int32":  binary.BigEndian.AppendUint32(nil, 32<<20),
		"likely varint": binary.AppendUvarint(nil, 32<<20),

		"int32":   binary.BigEndian.AppendUint32(nil, 1<<31-1),
		"uint32":  binary.BigEndian.AppendUint32(nil, 1<<32-1),
		"varint":  binary.AppendUvarint(nil, 1<<31),
		"large":   binary.AppendUvarint(nil, 1<<62),
		"largest": binary.AppendUvarint(nil, 1<<64-1),
	}
	for kind, claim := range claims {
		for at := range answer {
			whole := slices.Concat(answer[:at], claim, answer[min(at+len(claim), len(answer)):])
			inserted := slices.Concat(answer[:at], claim, answer[at+1:])
			for _, data := range [][]byte{whole, inserted} {
				Bounded(t, fmt.Sprintf("%s at %d of %d bytes", kind, at, len(answer)), most, func() { decode(data) })
			}
		}
	}
}

// Bounded runs f, and fails the test if it takes more memory than most, in bytes.
func Bounded(t *testing.T, what string, most uint64, f func()) {
	t.Helper()
	var least uint64
	for try := range 3 { // others in the process take memory too
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; try == 0 || took < least {
			least = took
		}
		if least <= most {
			return
		}
	}
	t.Fatalf("%s: %d bytes of memory were taken, want at most %d", what, least, most)
}
