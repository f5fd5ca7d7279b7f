package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Stream reads the fields of an answer off a connection. After the first
// error all of its methods return zero. It never reads beyond left.
type Stream struct {
	buf  *bufio.Reader
	left int // bytes of the answer that are not read yet
	err  error
	tmp  [8]byte
}

// The buffer spares system calls between small partitions; reads of large record
// sets go past it, straight to their memory.
var wireBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 32<<10) }}

// NewStream returns a Stream that reads from a connection. The caller calls Free.
func NewStream(from io.Reader) *Stream {
	r := &Stream{buf: wireBuffers.Get().(*bufio.Reader)}
	r.buf.Reset(from)
	return r
}

// Err returns the first error.
func (r *Stream) Err() error { return r.err }

// Left returns how many bytes of the answer are not read yet.
func (r *Stream) Left() int { return r.left }

// Start reads the size of the answer, which may be up to limit, and the correlation id.
func (r *Stream) Start(limit int64, correlationID int32) error {
	r.left = 4
	size := int64(r.Int32())
	if r.err != nil {
		return r.err
	}
	if size < 8 || size > limit {
		r.Fail(fmt.Errorf("a size of %d bytes can't be", size))
		return r.err
	}
	r.left = int(size)
	if id := r.Int32(); r.err == nil && id != correlationID {
		r.Fail(fmt.Errorf("it answers request %d, not %d", id, correlationID))
	}
	return r.err
}

// End returns the first error, which may be that bytes are left.
func (r *Stream) End() error {
	if r.err == nil && r.left != 0 {
		r.Fail(fmt.Errorf("%d bytes belong to no field", r.left))
	}
	return r.err
}

// Free gives back the buffer. One request is answered at a time on a connection,
// so nothing of a next answer can be in it.
func (r *Stream) Free() {
	r.buf.Reset(nil)
	wireBuffers.Put(r.buf)
	r.buf = nil
}

// Fail makes err the first error, if there is none yet.
func (r *Stream) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Fill fills b, which counts against left.
func (r *Stream) Fill(b []byte) bool {
	if r.err != nil {
		return false
	}
	if len(b) > r.left {
		r.Fail(fmt.Errorf("a field of %d bytes where %d are left", len(b), r.left))
		return false
	}
	n, err := io.ReadFull(r.buf, b)
	r.left -= n
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		r.Fail(err)
	}
	return err == nil
}

func (r *Stream) number(size int) uint64 {
	b := r.tmp[8-size:]
	clear(r.tmp[:8-size])
	if !r.Fill(b) {
		return 0
	}
	return binary.BigEndian.Uint64(r.tmp[:])
}

// Int16 reads a number of 2 bytes.
func (r *Stream) Int16() int16 { return int16(r.number(2)) }

// Int32 reads a number of 4 bytes.
func (r *Stream) Int32() int32 { return int32(r.number(4)) }

// Int64 reads a number of 8 bytes.
func (r *Stream) Int64() int64 { return int64(r.number(8)) }

func (r *Stream) String() string {
	size := r.Int16()
	if size < 0 {
		r.Fail(fmt.Errorf("a string of %d bytes", size))
	}
	return r.text(int(size))
}

// text reads a string. Memory is taken as the data comes, not for a claim.
func (r *Stream) text(size int) string {
	const step = 32 << 10
	var b []byte
	for len(b) < size && r.err == nil {
		n := min(size-len(b), step)
		b = append(b, make([]byte, n)...)
		r.Fill(b[len(b)-n:])
	}
	if r.err != nil {
		return ""
	}
	return string(b)
}

// Count reads the length of an array whose elements have at least smallest
// bytes; null is 0. What can't be in the rest of the answer is an error.
func (r *Stream) Count(smallest int) int {
	n := int(r.Int32())
	if n > r.left/smallest {
		r.Fail(fmt.Errorf("%d elements where %d bytes are left", n, r.left))
	}
	if r.err != nil || n < 0 {
		return 0
	}
	return n
}

// NullableString reads a string; null is empty.
func (r *Stream) NullableString() string {
	return r.text(int(r.Int16()))
}

// The flexible encoding (KIP-482) has lengths as unsigned varints, one more than they are:
// 0 is null.

func (r *Stream) uvarint() (v uint64) {
	for shift := 0; shift < 35; shift += 7 {
		b := r.number(1)
		v |= b & 0x7f << shift
		if b < 0x80 {
			return v
		}
	}
	r.Fail(errors.New("a length has too many bytes"))
	return 0
}

// Compact reads a string in the flexible encoding; null is empty.
func (r *Stream) Compact() string {
	n := r.uvarint()
	if n > uint64(r.left)+1 {
		r.Fail(fmt.Errorf("a string of %d bytes where %d are left", n-1, r.left))
	}
	return r.text(int(n) - 1)
}

// CompactCount reads the length of an array in the flexible encoding; null is 0. More
// elements than there are bytes left are an error.
func (r *Stream) CompactCount() int {
	n := r.uvarint()
	if n > uint64(r.left)+1 {
		r.Fail(fmt.Errorf("%d elements where %d bytes are left", n-1, r.left))
	}
	if n == 0 || r.err != nil {
		return 0
	}
	return int(n - 1)
}

// Tags skips tagged fields: all of them are optional.
func (r *Stream) Tags() {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		r.uvarint()
		r.skip(r.uvarint())
	}
}

func (r *Stream) skip(n uint64) {
	if n > uint64(r.left) {
		r.Fail(fmt.Errorf("a field of %d bytes where %d are left", n, r.left))
	}
	if r.err != nil {
		return
	}
	skipped, err := r.buf.Discard(int(n))
	r.left -= skipped
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		r.Fail(err)
	}
}
