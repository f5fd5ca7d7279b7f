package offsets

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"strings"
)

// MaxMetadata is the number of bytes of metadata that Kafka keeps with a committed
// offset by default (offset.metadata.max.bytes).
const MaxMetadata = 4096

// The metadata is the prefix and a payload in unpadded base64, because it has to be a
// UTF-8 string. The payload is a checksum, the header, and the map, which is a sequence
// of uvarints. The low two bits of a uvarint v say whether the next v>>2 offsets are
// settled or not, or that v>>2 bytes of a bitmap follow. The offsets count from the
// watermark on. All offsets after the last uvarint are unsettled.
//
// The checksum covers the watermark, too, because the metadata may get to another
// offset: MirrorMaker commits a group's translated offsets to the other cluster with
// unchanged metadata, and the map would skip records there.
const (
	// prefix names the format and changes with it. Decode ignores metadata with
	// another one.
	prefix = "mr3:"

	runSettled   = 0
	runUnsettled = 1
	bitmap       = 2 // bytes follow, with the lowest offset in the lowest bit; a set bit is settled

	// longRun ends a bitmap: a run of this length takes less space as a run.
	longRun = 64
	// maxBitmap bounds the offsets of one bitmap.
	maxBitmap = 256
)

// checksumSize is the checksum's size in bytes before base64.
const checksumSize = 4

// spanCost returns the most bytes that a span of n records over width offsets can take
// in the map, whichever of its records are settled. The span takes bitmaps of maxBitmap
// offsets with two bytes of header each, or n pairs of runs, and a run up to the next
// span.
func spanCost(n int, width int64) int {
	asBitmaps := width*(maxBitmap/8+2)/maxBitmap + maxBitmap/8 + 2
	gap := max(width/int64(n), 1)
	asRuns := int64(n) * int64(2+uvarintLen(uint64(gap)<<4))
	return int(min(asBitmaps, asRuns)) + 5
}

func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// Encode returns the metadata to commit with the watermark. If a Tracker admits only
// spans that fit, the metadata of its checkpoints fit into MaxMetadata.
func (s State) Encode(watermark int64) string {
	raw := s.appendHeader(make([]byte, checksumSize, checksumSize+maxHeader), watermark)
	e := encoder{raw: raw, at: watermark, ahead: s.Settled}
	e.encode()
	return seal(e.raw, watermark)
}

// seal returns the metadata for a payload that begins with room for the checksum.
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
	raw   []byte
	at    int64
	ahead []Range // the ranges that end after at
}

func (e *encoder) encode() {
	for len(e.ahead) > 0 {
		length, settled := e.run(e.at, e.ahead)
		if length < longRun && e.bitmap() {
			continue
		}
		e.emit(length, settled)
	}
}

// run returns the length of the run at an offset, and whether it is settled. ahead is
// the ranges that end after the offset.
func (e *encoder) run(at int64, ahead []Range) (length int64, settled bool) {
	if at < ahead[0].First {
		return ahead[0].First - at, false
	}
	return ahead[0].Next - at, true
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
	for len(e.ahead) > 0 && e.ahead[0].Next <= at {
		e.ahead = e.ahead[1:]
	}
}

// bitmap writes the short runs ahead as a bitmap if the bitmap takes less space. It
// reports whether it has done so.
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
	for _, r := range e.ahead {
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

// shortRuns returns the end of the short runs ahead, at most maxBitmap offsets from
// here, and the number of bytes that they take as runs.
func (e *encoder) shortRuns() (end int64, cost int) {
	at, ahead := e.at, e.ahead
	for len(ahead) > 0 && at-e.at < maxBitmap {
		length, settled := e.run(at, ahead)
		if length >= longRun {
			break
		}
		cost += uvarintLen(uint64(length) << 2)
		at += length
		if settled {
			ahead = ahead[1:]
		}
	}
	return min(at, e.at+maxBitmap), cost
}

// mapLen returns the number of bytes that ranges take in the map, from offset at on.
func mapLen(ranges []Range, at int64) int {
	e := encoder{at: at, ahead: ranges}
	e.encode()
	return len(e.raw)
}

// ours reports whether Encode has written the metadata.
func ours(metadata string) bool { return strings.HasPrefix(metadata, prefix) }
