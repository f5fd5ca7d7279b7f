package frame

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields reads the fields of a message one by one. After next has returned true, num and
// typ say which field it is, and varint or bytes holds its value; the values of other types
// are skipped.
type fields struct {
	rest   []byte
	num    protowire.Number
	typ    protowire.Type
	varint uint64
	bytes  []byte // a part of the message; never nil for a field of bytes
	err    error
}

// next reads the next field. It returns false at the end, and if the message is damaged;
// then err is set.
func (f *fields) next() bool {
	if len(f.rest) == 0 || f.err != nil {
		return false
	}
	num, typ, n := protowire.ConsumeTag(f.rest)
	if n < 0 || num > protowire.MaxValidNumber {
		f.err = damaged()
		return false
	}
	f.num, f.typ, f.rest = num, typ, f.rest[n:]
	switch typ {
	case protowire.VarintType:
		f.varint, n = protowire.ConsumeVarint(f.rest)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(f.rest)
	default:
		n = protowire.ConsumeFieldValue(num, typ, f.rest)
	}
	if n < 0 {
		f.err = damaged()
		return false
	}
	f.rest = f.rest[n:]
	return true
}

// isVarint reports whether the field has this number and a number as its value. A field of
// another type is as good as unknown.
func (f *fields) isVarint(num protowire.Number) bool {
	return f.num == num && f.typ == protowire.VarintType
}

// isBytes reports whether the field has this number and bytes, a text or a message as its
// value.
func (f *fields) isBytes(num protowire.Number) bool {
	return f.num == num && f.typ == protowire.BytesType
}

// text returns the value as a text.
func (f *fields) text() []byte {
	if !utf8.Valid(f.bytes) && f.err == nil {
		f.err = Mistakef("a text in the message is not UTF-8")
	}
	return f.bytes
}

func damaged() error {
	return Mistakef("the message is not Protobuf")
}
