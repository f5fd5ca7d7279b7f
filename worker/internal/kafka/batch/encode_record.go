package batch

import "github.com/millrace-dev/millrace/worker/internal/record"

// Shape is the place of a record in its batch, and its encoded length there.
type Shape struct {
	timestampDelta int64 // from the batch's base timestamp, in milliseconds
	offsetDelta    int64
	body           int // bytes behind the length field
}

// measure returns the shape of m as record number offsetDelta of a batch.
func measure(m *Message, timestampDelta, offsetDelta int64) Shape {
	n := 1 + // attributes
		varintSize(timestampDelta) + varintSize(offsetDelta) +
		fieldSize(m.Key) + fieldSize(m.Value) +
		varintSize(int64(len(m.Headers)+len(m.Extra)))
	for i := range m.Headers {
		n += headerSize(&m.Headers[i])
	}
	for i := range m.Extra {
		n += headerSize(&m.Extra[i])
	}
	return Shape{timestampDelta: timestampDelta, offsetDelta: offsetDelta, body: n}
}

// Size returns the bytes of the whole record.
func (s Shape) Size() int { return varintSize(int64(s.body)) + s.body }

// fieldSize is the size of a length and as many bytes; null has the length -1.
func fieldSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

func headerSize(h *record.Header) int {
	return varintSize(int64(len(h.Key))) + len(h.Key) + fieldSize(h.Value)
}

// encodeRecord writes m, measured as s, to b[at:], where there must be room for
// s.size() bytes, and returns the position behind it.
func encodeRecord(b []byte, at int, m *Message, s Shape) int {
	at = putVarint(b, at, int64(s.body))
	b[at] = 0 // attributes: none are in use
	at = putVarint(b, at+1, s.timestampDelta)
	at = putVarint(b, at, s.offsetDelta)
	at = putField(b, at, m.Key)
	at = putField(b, at, m.Value)
	at = putVarint(b, at, int64(len(m.Headers)+len(m.Extra)))
	for i := range m.Headers {
		at = putHeader(b, at, &m.Headers[i])
	}
	for i := range m.Extra {
		at = putHeader(b, at, &m.Extra[i])
	}
	return at
}

func putField(b []byte, at int, field []byte) int {
	if field == nil {
		return putVarint(b, at, -1)
	}
	at = putVarint(b, at, int64(len(field)))
	return at + copy(b[at:], field)
}

func putHeader(b []byte, at int, h *record.Header) int {
	at = putVarint(b, at, int64(len(h.Key)))
	at += copy(b[at:], h.Key)
	return putField(b, at, h.Value)
}

// SizeAlone returns the size of a batch with m as its only record.
func SizeAlone(m *Message) int { return batchHeaderSize + measure(m, 0, 0).Size() }
