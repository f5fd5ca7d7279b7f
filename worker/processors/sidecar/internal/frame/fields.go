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
	n := f.tag()
	if n < 0 {
		f.err = damaged()
		return false
	}
	f.rest = f.rest[n:]
	switch f.typ {
	case protowire.VarintType:
		n = f.number()
	case protowire.BytesType:
		n = f.content()
	default:
		n = protowire.ConsumeFieldValue(f.num, f.typ, f.rest)
	}
	if n < 0 {
		f.err = damaged()
		return false
	}
	f.rest = f.rest[n:]
	return true
}

// The following read a part of a field, and return its bytes, or a negative number if the
// message is damaged. Most tags, numbers and lengths have one byte, and are read without a
// call.

func (f *fields) tag() (n int) {
	if b := f.rest[0]; b >= 1<<3 && b < 1<<7 {
		f.num, f.typ = protowire.Number(b>>3), protowire.Type(b&7)
		return 1
	}
	f.num, f.typ, n = protowire.ConsumeTag(f.rest)
	if f.num > protowire.MaxValidNumber {
		return -1
	}
	return n
}

func (f *fields) number() (n int) {
	if len(f.rest) > 0 && f.rest[0] < 1<<7 {
		f.varint = uint64(f.rest[0])
		return 1
	}
	f.varint, n = protowire.ConsumeVarint(f.rest)
	return n
}

func (f *fields) content() (n int) {
	if len(f.rest) > 0 && f.rest[0] < 1<<7 {
		if n = 1 + int(f.rest[0]); n <= len(f.rest) {
			f.bytes = f.rest[1:n]
			return n
		}
	}
	f.bytes, n = protowire.ConsumeBytes(f.rest)
	return n
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
