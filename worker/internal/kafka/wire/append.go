package wire

import (
	"encoding/binary"

	"github.com/segmentio/kafka-go/protocol"
)

// AppendInt32 appends a number of four bytes.
func AppendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// AppendString appends a string behind its length.
func AppendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// AppendHeader appends the header of a request, with room for the size that
// Finish fills in. A connection carries one request at a time, so the correlation
// id is always 0.
func AppendHeader(b []byte, key protocol.ApiKey, version int16, clientID string) []byte {
	b = AppendInt32(b, 0) // size
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = AppendInt32(b, 0) // correlation id
	return AppendString(b, clientID)
}

// AppendFlexibleHeader is appendHeader in the flexible encoding.
func AppendFlexibleHeader(b []byte, key protocol.ApiKey, version int16, clientID string) []byte {
	return append(AppendHeader(b, key, version, clientID), NoTags)
}

// Finish fills in the size of the whole request b.
func Finish(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// AppendCompactCount appends the number of an array's elements in the flexible encoding.
func AppendCompactCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

// NoTags ends a structure of the flexible encoding that has no tagged fields.
const NoTags = 0

// AppendCompact appends a string of the flexible encoding.
func AppendCompact(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}
