package batch

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// Fields of a log batch that only its writer needs.
const (
	atLeaderEpoch   = 12
	atProducerEpoch = 51
	atSequence      = 53
)

// currentMagic is the format that Builder writes: v2, of Kafka 0.11 and later.
const currentMagic = 2

// Identity names a producer to the cluster, which stores no batch of the producer's
// sequence for a partition twice.
type Identity struct {
	ID    int64
	Epoch int16
}

// batchHeader holds the fields of a header that a producer sets.
type batchHeader struct {
	codec          int8
	count          int32
	firstTimestamp int64
	maxTimestamp   int64
	producer       Identity
	sequence       int32 // of the first record
	transactional  bool
}

// encode writes the header, and the checksum of all of it, to the start of
// batch, whose records are there already.
func (h batchHeader) encode(batch []byte) {
	be := binary.BigEndian
	be.PutUint64(batch[atBaseOffset:], 0)
	be.PutUint32(batch[atBatchLength:], uint32(len(batch)-batchPrefixSize))
	be.PutUint32(batch[atLeaderEpoch:], math.MaxUint32) // -1: the broker fills it in
	batch[atMagic] = currentMagic
	be.PutUint16(batch[atAttributes:], h.attributes())
	be.PutUint32(batch[atLastOffsetDelta:], uint32(h.count-1))
	be.PutUint64(batch[atBaseTimestamp:], uint64(h.firstTimestamp))
	be.PutUint64(batch[atMaxTimestamp:], uint64(h.maxTimestamp))
	be.PutUint64(batch[atProducerID:], uint64(h.producer.ID))
	be.PutUint16(batch[atProducerEpoch:], uint16(h.producer.Epoch))
	be.PutUint32(batch[atSequence:], uint32(h.sequence))
	be.PutUint32(batch[atRecordCount:], uint32(h.count))
	be.PutUint32(batch[atChecksum:], crc32.Checksum(batch[atAttributes:], castagnoli))
}

func (h batchHeader) attributes() uint16 {
	attributes := uint16(h.codec)
	if h.transactional {
		attributes |= transactionalFlag
	}
	return attributes
}

// SequenceAfter returns the sequence number that follows count records from
// sequence on: after the largest one comes 0.
func SequenceAfter(sequence, count int32) int32 {
	return int32((int64(sequence) + int64(count)) & math.MaxInt32)
}
