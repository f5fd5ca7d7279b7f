package batch

import "math/bits"

// varintSize returns how many bytes putVarint writes: 7 bits of the zigzag form
// go into each.
func varintSize(v int64) int {
	// Nine 64ths are a little less than a seventh; the result is exact for all
	// lengths of up to 64 bits.
	return (bits.Len64(toZigzag(v)|1)*9 + 64) >> 6
}

// putVarint writes v to b[at:], where there must be room, and returns the
// position behind it.
func putVarint(b []byte, at int, v int64) int {
	u := toZigzag(v)
	for u >= more {
		b[at] = byte(u) | more
		u >>= 7
		at++
	}
	b[at] = byte(u)
	return at + 1
}

// toZigzag is the inverse of zigzag.
func toZigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }
