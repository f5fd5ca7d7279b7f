package batch

import (
	"encoding/binary"
	"math"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdDecoder decompresses whole batches into memory that it is given. It keeps no window
// of its own, so a frame that claims a large one takes no memory for it. It may be used
// by many goroutines.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
})

// unpackZstd decompresses src behind the used part and returns the size. It is done twice
// if src does not fit.
func (a *arena) unpackZstd(src []byte) (n int, err error) {
	n, err = a.decodeZstd(src)
	if err == nil {
		return n, nil
	}
	// The decoder's errors don't tell a lack of room from damage. With the most that src
	// can hold, it was damage.
	most := zstdBound(src)
	if most <= len(a.block.data)-a.used {
		return 0, err
	}
	a.counted = min(most, a.max())
	if err := a.replace(a.counted+1, 0); err != nil {
		return 0, err
	}
	if n, err = a.decodeZstd(src); err != nil && most > a.max() {
		return 0, unpacksBeyond(a.max())
	}
	return n, err
}

// decodeZstd decompresses src behind the used part, if there is room for it.
func (a *arena) decodeZstd(src []byte) (int, error) {
	decoder, err := zstdDecoder()
	if err != nil {
		return 0, err
	}
	room := a.block.data[a.used:a.used:len(a.block.data)]
	out, err := decoder.DecodeAll(src, room)
	switch {
	case err != nil:
		return 0, err
	case len(out) > 0 && &out[0] != &room[:1][0]: // it went to memory of its own
		return 0, zstd.ErrDecoderSizeExceeded
	case len(out) > a.max():
		return 0, unpacksBeyond(a.max())
	}
	return len(out), nil
}

// The numbers of zstd's format: RFC 8878, section 3.1.1.
const (
	zstdMagic         = 0xFD2FB528
	zstdSkipMagic     = 0x184D2A50 // the lowest four bits are free
	zstdMaxBlock      = 128 << 10
	zstdSingleSegment = 0x20
	zstdChecksum      = 0x04
)

// zstdBound returns the most bytes that src can unpack to, as the headers of its blocks
// tell. What follows a damaged header counts for nothing.
func zstdBound(src []byte) (bound int) {
	for len(src) >= 8 {
		magic := binary.LittleEndian.Uint32(src)
		if magic&^0xF == zstdSkipMagic {
			size := uint64(binary.LittleEndian.Uint32(src[4:]))
			src = src[min(8+size, uint64(len(src))):]
			continue
		}
		content, header := zstdFrame(src)
		if magic != zstdMagic || header == 0 {
			break
		}
		blocks, rest := zstdBlocks(src[header:])
		if src[4]&zstdChecksum != 0 {
			rest = rest[min(4, len(rest)):]
		}
		bound += int(min(uint64(blocks), content))
		src = rest
	}
	return bound
}

// zstdContent returns the size that src claims to unpack to, if it is one frame; the
// largest number if it claims none.
func zstdContent(src []byte) uint64 {
	if len(src) < 8 || binary.LittleEndian.Uint32(src) != zstdMagic {
		return math.MaxUint64
	}
	content, _ := zstdFrame(src)
	return content
}

// zstdFrame returns the size that a frame's header claims for its content, the largest
// number if it claims none, and the header's own size, 0 if it is cut.
func zstdFrame(frame []byte) (content uint64, header int) {
	descriptor := frame[4]
	at := 5 + [4]int{0, 1, 2, 4}[descriptor&3] // behind the dictionary's id
	n := [4]int{0, 2, 4, 8}[descriptor>>6]
	if descriptor&zstdSingleSegment == 0 {
		at++ // the window
	} else if n == 0 {
		n = 1
	}
	if len(frame) < at+n {
		return math.MaxUint64, 0
	}
	if n == 0 {
		return math.MaxUint64, at
	}
	var size [8]byte
	copy(size[:], frame[at:at+n])
	if content = binary.LittleEndian.Uint64(size[:]); n == 2 {
		content += 256
	}
	return content, at + n
}

// zstdBlocks returns the most bytes that a frame's blocks unpack to, and what follows them.
func zstdBlocks(blocks []byte) (bound int, rest []byte) {
	const raw, repeated = 0, 1
	for last := false; !last && len(blocks) >= 3; {
		header := int(blocks[0]) | int(blocks[1])<<8 | int(blocks[2])<<16
		last = header&1 != 0
		size := header >> 3
		packed := size
		switch header >> 1 & 3 {
		case raw:
			bound += size
		case repeated:
			bound += size
			packed = 1
		default:
			bound += zstdMaxBlock
		}
		blocks = blocks[min(3+packed, len(blocks)):]
	}
	return bound, blocks
}
