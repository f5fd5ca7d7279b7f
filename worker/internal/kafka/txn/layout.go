package txn

import (
	"encoding/binary"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// encoder appends the fields of one request, in the flexible encoding or the one before.
type encoder struct {
	b        []byte
	flexible bool
}

func newEncoder(key protocol.ApiKey, version int16, flexible bool, clientID string) *encoder {
	if flexible {
		return &encoder{wire.AppendFlexibleHeader(nil, key, version, clientID), true}
	}
	return &encoder{wire.AppendHeader(nil, key, version, clientID), false}
}

func (e *encoder) string(s string) {
	if e.flexible {
		e.b = wire.AppendCompact(e.b, s)
	} else {
		e.b = wire.AppendString(e.b, s)
	}
}

// optional appends a string of the flexible encoding; "" is null.
func (e *encoder) optional(s string) {
	if s == "" {
		e.b = append(e.b, 0)
		return
	}
	e.string(s)
}

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) int16(v int16) { e.b = binary.BigEndian.AppendUint16(e.b, uint16(v)) }
func (e *encoder) int32(v int32) { e.b = wire.AppendInt32(e.b, v) }
func (e *encoder) int64(v int64) { e.b = binary.BigEndian.AppendUint64(e.b, uint64(v)) }

func (e *encoder) count(n int) {
	if e.flexible {
		e.b = wire.AppendCompactCount(e.b, n)
	} else {
		e.int32(int32(n))
	}
}

// tags ends a structure.
func (e *encoder) tags() {
	if e.flexible {
		e.b = append(e.b, wire.NoTags)
	}
}

// decoder reads the fields of an answer in the encoding of its request.
type decoder struct {
	wire.Reader
	flexible bool
}

// newDecoder returns a decoder of an answer behind its header.
func newDecoder(data []byte, flexible bool) *decoder {
	d := &decoder{wire.Reader{Data: data}, flexible}
	d.Int32() // correlation id
	d.tags()
	return d
}

func (d *decoder) string() string {
	if d.flexible {
		return string(d.Compact())
	}
	return d.String()
}

func (d *decoder) count() int {
	if d.flexible {
		return d.CompactCount()
	}
	return d.Count()
}

func (d *decoder) tags() {
	if d.flexible {
		d.Tags()
	}
}
