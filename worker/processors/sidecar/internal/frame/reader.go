package frame

import (
	"encoding/binary"
	"fmt"
	"io"
)

// keepBytes is the largest buffer that a Reader keeps for its next frame.
const keepBytes = 1 << 20

// firstBytes is how much memory a frame gets before its first byte has come. Frames that are
// larger get more as their bytes come.
const firstBytes = 64 << 10

// Reader reads frames from a stream. One goroutine at a time may use it.
type Reader struct {
	r      io.Reader
	prefix [Prefix]byte
	buf    []byte
}

// NewReader returns a Reader of r, which should be buffered.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next returns the message of the next frame, which is valid until the next call. A frame
// that is empty or has more than limit bytes is a Mistake. At the end of the stream the
// error is io.EOF, and within a frame io.ErrUnexpectedEOF.
func (r *Reader) Next(limit int) ([]byte, error) {
	if _, err := io.ReadFull(r.r, r.prefix[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(r.prefix[:]))
	switch {
	case n == 0:
		return nil, Mistakef("a frame is empty")
	case n > limit:
		return nil, Mistakef("a frame has %d bytes, and at most %d are allowed", n, limit)
	}
	if cap(r.buf) > keepBytes {
		r.buf = nil
	}
	r.buf = r.buf[:0]
	for len(r.buf) < n {
		if err := r.more(n); err != nil {
			return nil, fmt.Errorf("read a frame of %d bytes: %w", n, err)
		}
	}
	return r.buf, nil
}

// more reads on in a frame of n bytes, into at most twice the memory that is used so far.
func (r *Reader) more(n int) error {
	have := len(r.buf)
	want := min(n, max(cap(r.buf), 2*have, firstBytes))
	if want > cap(r.buf) {
		r.buf = append(make([]byte, 0, want), r.buf...)
	}
	r.buf = r.buf[:want]
	_, err := io.ReadFull(r.r, r.buf[have:])
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
