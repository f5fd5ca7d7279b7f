package kafka

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
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

// records reads a record set into a buffer of pool; nil if it is null or empty.
func (r *wireReader) records(pool *batch.Pool, owner *batch.Account) (*batch.Buffer, int) {
	size := int(r.int32())
	if size > r.left {
		r.fail(fmt.Errorf("records of %d bytes where %d are left", size, r.left))
	}
	if r.err != nil || size <= 0 {
		return nil, 0
	}
	b := pool.GetFor(owner, min(size, batch.MaxPooled))
	for at := 0; ; {
		end := min(size, len(b.Bytes()))
		if !r.read(b.Bytes()[at:end]) {
			b.Release()
			return nil, 0
		}
		if at = end; at == size {
			return b, size
		}
		// Larger memory is taken as the data comes, not for a claim.
		larger := pool.GetFor(owner, min(size, 4*len(b.Bytes())))
		copy(larger.Bytes(), b.Bytes())
		b.Release()
		b = larger
	}
}
