package batch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/compress"
)

// The sizes of the blocks that log batches are decompressed into.
const (
	minBlockBytes = 4 << 10
	maxBlockBytes = 512 << 10
)

// arena decompresses log batches one behind the other into pooled blocks, so
// that many small batches share one. It is used by one goroutine at a time.
type arena struct {
	pool  *Pool
	owner *Account
	limit int     // bytes that one batch may hold; 0 is maxBatchBytes
	block *Buffer // has one hold of the arena's
	used  int
	src   bytes.Reader
	// counted is the unpacked size of the next batch, if it was counted because it had no
	// room; 0 is unknown. The Set resets it when it goes to another batch.
	counted int
}

// free gives up the arena's hold of the current block; others may still hold it.
func (a *arena) free() {
	if a.block != nil {
		a.block.Release()
		a.block, a.used = nil, 0
	}
}

// decompress returns the content of src, which lies in a.block. toCome is the number of
// compressed bytes after src; it sizes a new block. After ErrNoRoom, needs returns how
// much memory has to be free.
func (a *arena) decompress(codec int8, src []byte, toCome int) ([]byte, error) {
	want, err := a.expect(codec, src)
	if err != nil {
		return nil, err
	}
	if a.block == nil || len(a.block.data)-a.used < want {
		if err := a.replace(want, toCome); err != nil {
			return nil, err
		}
	}
	n, err := a.unpack(codec, src, toCome)
	if err != nil {
		return nil, fmt.Errorf("decompressing %s: %w", compress.Compression(codec), err)
	}
	if a.owner != nil {
		a.owner.unpacked(len(src), n)
	}
	out := a.block.data[a.used : a.used+n : a.used+n]
	a.used += n
	return out, nil
}

// expect returns the room to begin the decompression of src with.
func (a *arena) expect(codec int8, src []byte) (int, error) {
	want, err := expectedSize(codec, src)
	if err == nil && want > a.max() {
		err = unpacksBeyond(a.max())
	}
	if err != nil {
		return 0, err
	}
	if a.owner != nil {
		want = max(want, min(a.owner.wouldUnpack(len(src)), a.max()))
	}
	want = max(want, a.counted)
	return want + 1, nil // the end of the stream shows only when one byte is free
}

// needs returns how much memory has to be free before src is decompressed, as far as can
// be told. Once the size is counted, decompress must not need more, or it could fail for
// ever.
func (a *arena) needs(codec int8, src []byte) int {
	want, err := a.expect(codec, src)
	if err != nil || a.block != nil && len(a.block.data)-a.used >= want {
		return 0 // or decompress tells the error
	}
	return BufferSize(want)
}

func (a *arena) max() int {
	if a.limit > 0 {
		return min(a.limit, MaxBytes)
	}
	return MaxBytes
}

// unpack decompresses src behind the used part and returns the size.
func (a *arena) unpack(codec int8, src []byte, toCome int) (int, error) {
	if compress.Compression(codec) == compress.Zstd {
		return a.unpackZstd(src)
	}
	n, err := a.unpackStream(codec, src, toCome)
	if errors.Is(err, errOutgrown) {
		return a.unpackLarge(codec, src)
	}
	return n, err
}

// unpackStream decompresses src with a codec that reads from a stream.
func (a *arena) unpackStream(codec int8, src []byte, toCome int) (n int, err error) {
	err = a.decode(codec, src, func(r io.Reader) (err error) {
		n, err = a.fill(r, toCome)
		return err
	})
	return n, err
}

// unpackLarge counts the bytes that src unpacks to, and then decompresses it.
func (a *arena) unpackLarge(codec int8, src []byte) (n int, err error) {
	err = a.decode(codec, src, func(r io.Reader) error { return a.count(0, r) })
	if err != nil {
		return 0, err
	}
	if err := a.replace(a.counted+1, 0); err != nil {
		return 0, err
	}
	return a.unpackStream(codec, src, 0)
}

// count counts the bytes of a batch of which n bytes are read and the others come
// from r.
func (a *arena) count(n int, r io.Reader) error {
	rest, err := io.Copy(io.Discard, io.LimitReader(r, int64(a.max()+1-n)))
	if n += int(rest); err == nil && n > a.max() {
		err = unpacksBeyond(a.max())
	}
	if err == nil {
		a.counted = n
	}
	return err
}

func (a *arena) decode(codec int8, src []byte, read func(io.Reader) error) error {
	a.src.Reset(src)
	defer a.src.Reset(nil)
	r := compress.Compression(codec).Codec().NewReader(&a.src)
	err := read(r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return err
}

// measuredBytes is the size from which on a batch is decompressed twice: first to
// count its bytes, then into memory of that size. That costs less than growing step
// by step, which takes several times the memory.
const measuredBytes = 8 << 20

// errOutgrown says that a batch's bytes have to be counted first.
var errOutgrown = errors.New("it is larger than usual")

// fill reads all of r into the unused part of the block and returns its size. It moves to
// larger blocks as data comes, never because of a claimed size.
func (a *arena) fill(r io.Reader, toCome int) (n int, err error) {
	for idle := 0; ; {
		if n > a.max() {
			return 0, unpacksBeyond(a.max())
		}
		if a.used+n == len(a.block.data) {
			if n >= measuredBytes {
				return 0, errOutgrown
			}
			if err := a.move(n, toCome); err != nil {
				// Count the size now, so that the batch is unpacked only once more.
				if uncountable := a.count(n, r); uncountable != nil {
					return 0, uncountable
				}
				return 0, err
			}
		}
		m, err := r.Read(a.block.data[a.used+n:])
		n += m
		switch {
		case errors.Is(err, io.EOF):
			if n > a.max() {
				return 0, unpacksBeyond(a.max())
			}
			return n, nil
		case err != nil:
			return 0, err
		case m > 0:
			idle = 0
		default:
			if idle++; idle > 100 {
				return 0, io.ErrNoProgress
			}
		}
	}
}

// replace starts a new block with room for want bytes and, if there is memory, for the
// batches to come at a usual ratio.
func (a *arena) replace(want, toCome int) error {
	a.free()
	size := max(want, min(max(4*toCome, minBlockBytes), maxBlockBytes))
	if budget := a.pool.budget; budget != nil && !budget.allows(a.owner, BufferSize(size)) {
		if size = want; !budget.allows(a.owner, BufferSize(want)) {
			return ErrNoRoom
		}
	}
	a.block = a.pool.GetFor(a.owner, size)
	return nil
}

// move carries the n bytes of a batch that outgrew its block to a larger one.
func (a *arena) move(n, toCome int) error {
	old, from := a.block, a.used
	a.block, a.used = nil, 0
	defer old.Release()
	if err := a.replace(max(min(2*n, a.max()+1), minBlockBytes), toCome); err != nil {
		return err
	}
	copy(a.block.data, old.data[from:from+n])
	return nil
}

// expectedSize returns how many bytes src may decompress to, as a first guess that is
// safe to allocate. It refuses data with a claim that would make the codec itself
// allocate too much.
func expectedSize(codec int8, src []byte) (int, error) {
	switch compress.Compression(codec) {
	case compress.Gzip, compress.Lz4:
	case compress.Zstd:
		if n := zstdContent(src); n <= maxBlockBytes {
			return int(n), nil
		}
	case compress.Snappy:
		return snappySize(src)
	default:
		return 0, fmt.Errorf("unknown compression %d", codec)
	}
	return min(2*len(src), maxBlockBytes), nil
}

// snappySize adds up the sizes that the blocks of a snappy stream claim to have,
// framed as Java does or one bare block. A claim above what the format can
// express is an error.
func snappySize(src []byte) (int, error) {
	const frameHeader = 16
	if len(src) < frameHeader || string(src[:8]) != "\x82SNAPPY\x00" {
		return snappyBlockSize(src)
	}
	total := 0
	for rest := src[frameHeader:]; len(rest) > 0; {
		if len(rest) < 4 {
			return 0, errors.New("snappy: a frame is cut")
		}
		size := binary.BigEndian.Uint32(rest)
		rest = rest[4:]
		if uint64(size) > uint64(len(rest)) {
			return 0, fmt.Errorf("snappy: a frame of %d bytes where %d are left", size, len(rest))
		}
		n, err := snappyBlockSize(rest[:size])
		if err != nil {
			return 0, err
		}
		total += n
		rest = rest[size:]
	}
	return total, nil
}

func snappyBlockSize(block []byte) (int, error) {
	// The best that snappy can do is a copy of 64 bytes in 3.
	const maxRatio = 22
	size, n := binary.Uvarint(block)
	if n <= 0 || size > uint64(len(block))*maxRatio || size > MaxBytes {
		return 0, fmt.Errorf("snappy: %d bytes can't hold a block of %d", len(block), size)
	}
	return int(size), nil
}
