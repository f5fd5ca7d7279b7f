package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// protocolReader reads the fields of an answer that is in memory. After an error it returns
// zeros.
type protocolReader struct {
	data []byte
	err  error
}

var errCutProtocol = errors.New("it ends early")

func (r *protocolReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.data) {
		r.err = errCutProtocol
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *protocolReader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *protocolReader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *protocolReader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *protocolReader) string() string { return string(r.take(int(r.int16()))) }

// bytes reads bytes that may be null.
func (r *protocolReader) bytes() []byte {
	n := r.int32()
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}

func (r *protocolReader) count() int {
	n := int(r.int32())
	if n > len(r.data) {
		r.err = fmt.Errorf("%d elements where %d bytes are left", n, len(r.data))
	}
	if r.err != nil {
		return 0
	}
	return n
}

// The flexible encoding (KIP-482) has lengths as unsigned varints, one more than
// they are: 0 is null.

func (r *protocolReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if r.err != nil || n <= 0 {
		r.err = errCutProtocol
		return 0
	}
	r.data = r.data[n:]
	return v
}

// compact reads bytes that may be null.
func (r *protocolReader) compact() []byte {
	if n := r.uvarint(); n > 0 {
		return r.take(int(min(n-1, math.MaxInt32)))
	}
	return nil
}

func (r *protocolReader) compactCount() int {
	n := r.uvarint()
	if n > uint64(len(r.data))+1 {
		r.err = fmt.Errorf("%d elements where %d bytes are left", n-1, len(r.data))
	}
	if r.err != nil || n == 0 {
		return 0
	}
	return int(n - 1)
}

// tags skips tagged fields: all of them are optional.
func (r *protocolReader) tags() {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		r.uvarint()
		r.take(int(min(r.uvarint(), math.MaxInt32)))
	}
}

// flexibleAnswer returns a reader of the answer in data, behind its header.
func flexibleAnswer(data []byte) *protocolReader {
	r := &protocolReader{data: data}
	r.int32() // correlation id
	r.tags()
	return r
}

// readSized reads one answer without its size.
func readSized(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	// Memory is taken as the data comes, not for a claim.
	whole := int64(binary.BigEndian.Uint32(size[:]))
	data, err := io.ReadAll(io.LimitReader(from, whole))
	if err == nil && int64(len(data)) < whole {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}
