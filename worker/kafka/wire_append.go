package kafka

import (
	"encoding/binary"

	"github.com/segmentio/kafka-go/protocol"
)

// appendInt32 appends a number of four bytes.
func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// appendString appends a string behind its length.
func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// appendHeader appends the header of a request, with room for the size that
// finishRequest fills in. A connection carries one request at a time, so the correlation
// id is always 0.
func appendHeader(b []byte, key protocol.ApiKey, version int16, clientID string) []byte {
	b = appendInt32(b, 0) // size
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = appendInt32(b, 0) // correlation id
	return appendString(b, clientID)
}

// appendFlexibleHeader is appendHeader in the flexible encoding.
func appendFlexibleHeader(b []byte, key protocol.ApiKey, version int16, clientID string) []byte {
	return append(appendHeader(b, key, version, clientID), noTags)
}

// finishRequest fills in the size of the whole request b.
func finishRequest(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// appendCompactCount appends the number of an array's elements in the flexible encoding.
func appendCompactCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

// noTags ends a structure of the flexible encoding that has no tagged fields.
const noTags = 0

// appendCompact appends a string of the flexible encoding.
func appendCompact(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}
