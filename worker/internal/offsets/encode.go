package offsets

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"strings"
)

// MaxMetadata is how many bytes of metadata Kafka keeps with a committed offset
// by default (offset.metadata.max.bytes).
const MaxMetadata = 4096

// The metadata is the prefix and, in unpadded base64 (it travels as a UTF-8
// string): a checksum; the header; then the map, a sequence of uvarints v. The
// low two bits of v say what the next v>>2 offsets (for bitmaps: bytes of 8
// offsets) are, counted from the watermark on. What follows the last one is
// unsettled.
//
// The checksum covers the watermark too. Metadata may be moved to another
// offset: MirrorMaker commits a group's translated offsets to the other cluster
// with the metadata as it was, and the map would skip records there.
const (
	// prefix changes with the format: metadata with another one is not read.
	prefix = "mr3:"

	runSettled   = 0
	runUnsettled = 1
	bitmap       = 2 // followed by the bytes, lowest offset in the lowest bit, set is settled

	// longRun ends a bitmap: a run of this length is shorter as a run.
	longRun = 64
	// maxBitmap is how many offsets one bitmap covers at most.
	maxBitmap = 256
)

// checksumSize is in bytes before base64.
const checksumSize = 4

// spanCost is the most that a span of n records over width offsets can take in
// the map, whatever is settled of it: as bitmaps of maxBitmap offsets with two
// bytes of header each, or as n pairs of runs; and a run up to the next span.
func spanCost(n int, width int64) int {
	asBitmaps := width*(maxBitmap/8+2)/maxBitmap + maxBitmap/8 + 2
	gap := max(width/int64(n), 1)
	asRuns := int64(n) * int64(2+uvarintLen(uint64(gap)<<4))
	return int(min(asBitmaps, asRuns)) + 5
}

func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// Encode returns the metadata to commit with the watermark. As long as nothing
// is admitted to a Tracker that does not fit, the metadata of its checkpoints fit
// into MaxMetadata.
func (s State) Encode(watermark int64) string {
	raw := s.appendHeader(make([]byte, checksumSize, checksumSize+maxHeader), watermark)
	e := encoder{raw: raw, at: watermark, rest: s.Settled}
	e.encode()
	return seal(e.raw, watermark)
}

// seal makes metadata of a payload that has room for the checksum in front.
func seal(raw []byte, watermark int64) string {
	binary.BigEndian.PutUint32(raw, checksum(raw[checksumSize:], watermark))
	return prefix + base64.RawStdEncoding.EncodeToString(raw)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(payload []byte, watermark int64) uint32 {
	at := binary.BigEndian.AppendUint64(nil, uint64(watermark))
	return crc32.Update(crc32.Checksum(at, castagnoli), castagnoli, payload)
}

// encoder writes the map of settled ranges from at on.
type encoder struct {
	raw  []byte
	at   int64
	rest []Range // the ranges that don't end before at
}

func (e *encoder) encode() {
	for len(e.rest) > 0 {
		length, settled := e.run(e.at, e.rest)
		if length < longRun && e.bitmap() {
			continue
		}
		e.emit(length, settled)
	}
}

// run returns how long the run at an offset is, and whether it is settled.
func (e *encoder) run(at int64, rest []Range) (length int64, settled bool) {
	if at < rest[0].First {
		return rest[0].First - at, false
	}
	return rest[0].Next - at, true
}

func (e *encoder) emit(length int64, settled bool) {
	kind := uint64(runUnsettled)
	if settled {
		kind = runSettled
	}
	e.raw = binary.AppendUvarint(e.raw, uint64(length)<<2|kind)
	e.advance(e.at + length)
}

func (e *encoder) advance(at int64) {
	e.at = at
	for len(e.rest) > 0 && e.rest[0].Next <= at {
		e.rest = e.rest[1:]
	}
}

// bitmap writes the short runs ahead as a bitmap if that is shorter.
func (e *encoder) bitmap() bool {
	end, cost := e.shortRuns()
	size := (end - e.at + 7) / 8
	if cost <= int(size)+uvarintLen(uint64(size)<<2) {
		return false
	}
	e.raw = binary.AppendUvarint(e.raw, uint64(size)<<2|bitmap)
	start := len(e.raw)
	e.raw = append(e.raw, make([]byte, size)...)
	covered := e.at + size*8
	for _, r := range e.rest {
		if r.First >= covered {
			break
		}
		for i := max(r.First, e.at) - e.at; i < min(r.Next, covered)-e.at; i++ {
			e.raw[start+int(i/8)] |= 1 << (i % 8)
		}
	}
	e.advance(covered)
	return true
}

// shortRuns returns where the stretch of short runs ahead ends, at most
// maxBitmap offsets on, and what it costs as runs.
func (e *encoder) shortRuns() (end int64, cost int) {
	at, rest := e.at, e.rest
	for len(rest) > 0 && at-e.at < maxBitmap {
		length, settled := e.run(at, rest)
		if length >= longRun {
			break
		}
		cost += uvarintLen(uint64(length) << 2)
		at += length
		if settled {
			rest = rest[1:]
		}
	}
	return min(at, e.at+maxBitmap), cost
}

// mapLen is how many bytes ranges take in the map, from offset at on.
func mapLen(ranges []Range, at int64) int {
	e := encoder{at: at, rest: ranges}
	e.encode()
	return len(e.raw)
}

// ours reports whether metadata was written by Encode.
func ours(metadata string) bool { return strings.HasPrefix(metadata, prefix) }
