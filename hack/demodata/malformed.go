package main

import (
	"bytes"
	"math/rand/v2"
)

// breakLine returns a broken copy of a log line, as after a full disk, a change of the
// producer's format, or with other data in the topic. Any reader that needs status and
// duration_ms as numbers fails on the result.
func breakLine(rng *rand.Rand, line []byte) []byte {
	switch rng.IntN(7) {
	case 0, 1:
		return line[:len(line)*3/10+rng.IntN(len(line)*6/10)] // cut
	case 2:
		return replaceNumber(line, "status", `"timeout"`)
	case 3:
		return replaceNumber(line, "status", "null")
	case 4:
		return replaceNumber(line, "duration_ms", `"12 ms"`)
	case 5:
		return []byte("2026/03/14 [error] 31#31: *88 upstream timed out (110: Connection timed out) while reading response header")
	default:
		return junk(rng)
	}
}

// replaceNumber replaces the value of a numeric field.
func replaceNumber(line []byte, field, value string) []byte {
	before, rest, _ := bytes.Cut(line, []byte(`"`+field+`":`))
	comma := bytes.IndexByte(rest, ',')
	return bytes.Join([][]byte{before, []byte(`"` + field + `":` + value), rest[comma:]}, nil)
}

// junk returns bytes that are neither text nor a line feed.
func junk(rng *rand.Rand) []byte {
	b := make([]byte, 24+rng.IntN(120))
	for i := range b {
		if b[i] = byte(rng.Uint32()); b[i] == '\n' {
			b[i] = 0xff
		}
	}
	return b
}
