package offsets

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var errDamaged = errors.New("damaged metadata of a committed offset")

// Decode decodes the metadata of a commit of the watermark. For metadata that is empty
// or from another program it returns an empty State. It returns an error for metadata of
// Encode that is damaged or belongs to another offset.
func Decode(metadata string, watermark int64) (State, error) {
	if !ours(metadata) {
		return State{}, nil
	}
	raw, err := base64.RawStdEncoding.DecodeString(metadata[len(prefix):])
	if err != nil {
		return State{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if len(raw) < checksumSize {
		return State{}, fmt.Errorf("%w: it ends early", errDamaged)
	}
	sum, payload := binary.BigEndian.Uint32(raw), raw[checksumSize:]
	if sum != checksum(payload, watermark) {
		return State{}, fmt.Errorf("%w: its checksum is wrong, or it was written for another offset than %d", errDamaged, watermark)
	}
	d := decoder{raw: payload, at: watermark}
	state := d.decode(watermark)
	if d.failed {
		return State{}, fmt.Errorf("%w: it ends early or has numbers out of range", errDamaged)
	}
	return state, nil
}

type decoder struct {
	raw    []byte
	at     int64
	failed bool
}

func (d *decoder) decode(watermark int64) State {
	s := d.header(watermark)
	for len(d.raw) > 0 && !d.failed {
		v := d.uvarint(math.MaxUint64)
		n := int64(v >> 2)
		switch v & 3 {
		case runSettled:
			s.add(d.at, d.sum(d.at, n))
			d.at = d.sum(d.at, n)
		case runUnsettled:
			d.at = d.sum(d.at, n)
		case bitmap:
			d.bitmap(&s, n)
		default:
			d.failed = true
		}
	}
	return s
}

func (d *decoder) bitmap(s *State, size int64) {
	if size > int64(len(d.raw)) {
		d.failed = true
		return
	}
	end := d.sum(d.at, size*8)
	if d.failed {
		return
	}
	for i := range size * 8 {
		if d.raw[i/8]&(1<<(i%8)) != 0 {
			s.add(d.at+i, d.at+i+1)
		}
	}
	d.raw, d.at = d.raw[size:], end
}

func (d *decoder) byte() byte {
	if len(d.raw) == 0 {
		d.failed = true
		return 0
	}
	b := d.raw[0]
	d.raw = d.raw[1:]
	return b
}

func (d *decoder) uint32() uint32 {
	if len(d.raw) < 4 {
		d.failed = true
		return 0
	}
	v := binary.BigEndian.Uint32(d.raw)
	d.raw = d.raw[4:]
	return v
}

func (d *decoder) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.raw)
	if v > limit {
		n = 0
	}
	return v * uint64(d.skip(n))
}

// skip moves past n bytes and returns 1. If n is not above 0, it fails and returns 0.
func (d *decoder) skip(n int) int {
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.raw = d.raw[n:]
	return 1
}

// sum returns a+b, and fails at an overflow.
func (d *decoder) sum(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		d.failed = true
		return a
	}
	return a + b
}
