package batch

// A variable-length integer is read in two steps, so that the first, which is
// enough for the usual single byte, is inlined:
//
//	u, p := firstByte(b, p)
//	if u >= more {
//		u, p = uvarint(b, p-1)
//	}
//
// A number that is cut or longer than 64 bits gives the position -1, and reading
// on from -1 gives -1 again: it is enough to check once after several reads.

// more marks a first byte that others follow.
const more = 0x80

// firstByte returns the byte at b[p] and the position behind it. The end of b
// looks like a byte that others follow, which uvarint then finds missing.
func firstByte(b []byte, p int) (value uint64, next int) {
	if uint(p) < uint(len(b)) {
		return uint64(b[p]), p + 1
	}
	return more, p + 1
}

// zigzag turns the encoded form of a signed integer into its value.
func zigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// uvarint reads an integer of any length.
func uvarint(b []byte, p int) (value uint64, next int) {
	if p < 0 {
		return 0, -1
	}
	for shift := 0; shift < 64 && p < len(b); shift += 7 {
		c := b[p]
		p++
		value |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return value, p
		}
	}
	return 0, -1
}
