package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Reader reads the fields of an answer that is in memory. After an error it returns
// zeros.
type Reader struct {
	Data []byte
	Err  error
}

var errCutProtocol = errors.New("it ends early")

// Take returns the next n bytes, which it does not copy.
func (r *Reader) Take(n int) []byte {
	if r.Err != nil || n < 0 || n > len(r.Data) {
		r.Err = errCutProtocol
		return nil
	}
	b := r.Data[:n]
	r.Data = r.Data[n:]
	return b
}

// Int16 reads a number of 2 bytes.
func (r *Reader) Int16() int16 {
	if b := r.Take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Int32 reads a number of 4 bytes.
func (r *Reader) Int32() int32 {
	if b := r.Take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads a number of 8 bytes.
func (r *Reader) Int64() int64 {
	if b := r.Take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *Reader) String() string { return string(r.Take(int(r.Int16()))) }

// Bytes reads bytes that may be null.
func (r *Reader) Bytes() []byte {
	n := r.Int32()
	if n < 0 {
		return nil
	}
	return r.Take(int(n))
}

// Count reads the length of an array. It is an error if fewer bytes are left.
func (r *Reader) Count() int {
	n := int(r.Int32())
	if n > len(r.Data) {
		r.Err = fmt.Errorf("%d elements where %d bytes are left", n, len(r.Data))
	}
	if r.Err != nil {
		return 0
	}
	return n
}

// The flexible encoding (KIP-482) has lengths as unsigned varints, one more than
// they are: 0 is null.

func (r *Reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.Data)
	if r.Err != nil || n <= 0 {
		r.Err = errCutProtocol
		return 0
	}
	r.Data = r.Data[n:]
	return v
}

// Compact reads bytes that may be null.
func (r *Reader) Compact() []byte {
	if n := r.uvarint(); n > 0 {
		return r.Take(int(min(n-1, math.MaxInt32)))
	}
	return nil
}

// CompactCount reads the length of an array in the flexible encoding. It is an error if
// fewer bytes are left.
func (r *Reader) CompactCount() int {
	n := r.uvarint()
	if n > uint64(len(r.Data))+1 {
		r.Err = fmt.Errorf("%d elements where %d bytes are left", n-1, len(r.Data))
	}
	if r.Err != nil || n == 0 {
		return 0
	}
	return int(n - 1)
}

// Tags skips tagged fields: all of them are optional.
func (r *Reader) Tags() { r.TaggedFields(func(uint64, []byte) {}) }

// TaggedFields calls field with the number and the content of each tagged field. The
// content is not copied.
func (r *Reader) TaggedFields(field func(tag uint64, content []byte)) {
	for n := r.uvarint(); n > 0 && r.Err == nil; n-- {
		tag := r.uvarint()
		if content := r.Take(int(min(r.uvarint(), math.MaxInt32))); r.Err == nil {
			field(tag, content)
		}
	}
}

// ReadFlexible returns a reader of the answer in data, behind its header.
func ReadFlexible(data []byte) *Reader {
	r := &Reader{Data: data}
	r.Int32() // correlation id
	r.Tags()
	return r
}

// MaxAnswer bounds an answer in bytes, except those to Fetch and Produce, which have other
// bounds. The largest one is about all topics of a cluster, and has some tens
// of bytes for each partition.
const MaxAnswer = 256 << 20

// ReadSized reads one answer without its size.
func ReadSized(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	whole := binary.BigEndian.Uint32(size[:])
	if whole > MaxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes can't be", whole)
	}
	return ReadBody(from, whole)
}

// ReadBody reads an answer of size bytes. Memory is taken as the data comes, not for a
// claim.
func ReadBody(from io.Reader, size uint32) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, int64(size)))
	if err == nil && len(data) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}
