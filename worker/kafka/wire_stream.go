package kafka

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// wireReader reads the fields of an answer off a connection. After the first
// error all of its methods return zero. It never reads beyond left.
type wireReader struct {
	buf  *bufio.Reader
	left int // bytes of the answer that are not read yet
	err  error
	tmp  [8]byte
}

// The buffer spares system calls between small partitions; reads of large record
// sets go past it, straight to their memory.
var wireBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 32<<10) }}

func newWireReader(from io.Reader) *wireReader {
	r := &wireReader{buf: wireBuffers.Get().(*bufio.Reader)}
	r.buf.Reset(from)
	return r
}

// Err returns the first error.
func (r *wireReader) Err() error { return r.err }

// Left returns how many bytes of the answer are not read yet.
func (r *wireReader) Left() int { return r.left }

// Start reads the size of the answer, which may be up to limit, and the correlation id.
func (r *wireReader) Start(limit int64, correlationID int32) error {
	r.left = 4
	size := int64(r.int32())
	if r.err != nil {
		return r.err
	}
	if size < 8 || size > limit {
		r.fail(fmt.Errorf("a size of %d bytes can't be", size))
		return r.err
	}
	r.left = int(size)
	if id := r.int32(); r.err == nil && id != correlationID {
		r.fail(fmt.Errorf("it answers request %d, not %d", id, correlationID))
	}
	return r.err
}

// End returns the first error, which may be that bytes are left.
func (r *wireReader) End() error {
	if r.err == nil && r.left != 0 {
		r.fail(fmt.Errorf("%d bytes belong to no field", r.left))
	}
	return r.err
}

// free gives back the buffer. One request is answered at a time on a connection,
// so nothing of a next answer can be in it.
func (r *wireReader) free() {
	r.buf.Reset(nil)
	wireBuffers.Put(r.buf)
	r.buf = nil
}

func (r *wireReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// read fills b, which counts against left.
func (r *wireReader) read(b []byte) bool {
	if r.err != nil {
		return false
	}
	if len(b) > r.left {
		r.fail(fmt.Errorf("a field of %d bytes where %d are left", len(b), r.left))
		return false
	}
	n, err := io.ReadFull(r.buf, b)
	r.left -= n
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		r.fail(err)
	}
	return err == nil
}

func (r *wireReader) number(size int) uint64 {
	b := r.tmp[8-size:]
	clear(r.tmp[:8-size])
	if !r.read(b) {
		return 0
	}
	return binary.BigEndian.Uint64(r.tmp[:])
}

func (r *wireReader) int16() int16 { return int16(r.number(2)) }
func (r *wireReader) int32() int32 { return int32(r.number(4)) }
func (r *wireReader) int64() int64 { return int64(r.number(8)) }

func (r *wireReader) string() string {
	size := r.int16()
	if size < 0 {
		r.fail(fmt.Errorf("a string of %d bytes", size))
	}
	if r.err != nil {
		return ""
	}
	b := make([]byte, size)
	r.read(b)
	return string(b)
}

// count reads the length of an array whose elements have at least smallest
// bytes; null is 0. What can't be in the rest of the answer is an error.
func (r *wireReader) count(smallest int) int {
	n := int(r.int32())
	if n > r.left/smallest {
		r.fail(fmt.Errorf("%d elements where %d bytes are left", n, r.left))
	}
	if r.err != nil || n < 0 {
		return 0
	}
	return n
}

// nullableString reads a string; null is empty.
func (r *wireReader) nullableString() string {
	size := r.int16()
	if size < 0 || r.err != nil {
		return ""
	}
	b := make([]byte, size)
	r.read(b)
	return string(b)
}
