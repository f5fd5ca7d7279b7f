package produce

import "encoding/binary"

// Murmur2 returns the hash of a key in Kafka's default partitioner: murmur2 with
// Kafka's seed.
func Murmur2(key []byte) uint32 {
	const (
		seed       = 0x9747b28c
		multiplier = 0x5bd1e995
		shift      = 24
	)
	h := uint32(seed) ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * multiplier
		k ^= k >> shift
		h = h*multiplier ^ k*multiplier
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * multiplier
	}
	h = (h ^ h>>13) * multiplier
	return h ^ h>>15
}

// partitionOf returns the partition, of count, that Kafka's default partitioner chooses
// for a key. It drops the hash's sign bit, as Java does.
func partitionOf(key []byte, count int32) int32 {
	return int32(Murmur2(key)&0x7fffffff) % count
}
