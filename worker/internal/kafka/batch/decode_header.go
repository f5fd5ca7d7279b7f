package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The fields of a log batch of the format v2, by their place in its bytes. The
// length counts what follows it, the checksum covers all from the attributes on.
const (
	atBaseOffset      = 0
	atBatchLength     = 8
	atMagic           = 16
	atChecksum        = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atRecordCount     = 57
	batchHeaderSize   = 61
	batchPrefixSize   = 12 // base offset and length
)

// Attributes of a log batch.
const (
	codecMask         = 0x07
	logAppendTimeFlag = 0x08
	transactionalFlag = 0x10
	controlFlag       = 0x20
)

// MaxBytes bounds a log batch, as it is sent and decompressed. It is far above any limit
// of a broker, and small enough that a false length does no harm.
const MaxBytes = 512 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logBatch is the header of a log batch and where its bytes are.
type logBatch struct {
	base          int64 // offset of the first record it was written with
	last          int64 // offset of the last one; records of both may be gone
	size          int   // bytes of the whole batch
	attributes    int16
	baseTimestamp int64
	maxTimestamp  int64
	producerID    int64
	count         int32  // records that are in it
	bytes         []byte // the whole batch
}

func (h *logBatch) control() bool       { return h.attributes&controlFlag != 0 }
func (h *logBatch) transactional() bool { return h.attributes&transactionalFlag != 0 }
func (h *logBatch) codec() int8         { return int8(h.attributes & codecMask) }
func (h *logBatch) payload() []byte     { return h.bytes[batchHeaderSize:] }

func (h *logBatch) leaderEpoch() int32 {
	return int32(binary.BigEndian.Uint32(h.bytes[atLeaderEpoch:]))
}

// verify compares the checksum.
func (h *logBatch) verify() error {
	want := binary.BigEndian.Uint32(h.bytes[atChecksum:])
	if got := crc32.Checksum(h.bytes[atAttributes:], castagnoli); got != want {
		return fmt.Errorf("the checksum is %08x where the batch says %08x", got, want)
	}
	return nil
}

// errNoMoreBatches ends a walk.
var errNoMoreBatches = errors.New("no more batches")

// cutError says that the data ends before the batch does.
type cutError struct {
	size int // bytes of the whole batch; 0 if not even its length is there
}

func (e *cutError) Error() string { return fmt.Sprintf("a batch of %d bytes is cut", e.size) }

// legacyMagic is the error for a message set in an old format.
type legacyMagic int8

func (m legacyMagic) Error() string { return fmt.Sprintf("message format v%d", int8(m)) }

// batchWalk goes through the log batches in data. It looks at the headers only.
type batchWalk struct {
	data []byte
	pos  int
	next int64 // the lowest base offset that may follow
}

// peek returns the header of the next batch without passing it. The error is
// errNoMoreBatches, a *cutError, a legacyMagic, or describes a fault in the header.
func (w *batchWalk) peek() (logBatch, error) {
	b := w.data[w.pos:]
	if len(b) == 0 {
		return logBatch{}, errNoMoreBatches
	}
	if len(b) < batchPrefixSize {
		return logBatch{}, &cutError{}
	}
	size := batchPrefixSize + int64(int32(binary.BigEndian.Uint32(b[atBatchLength:])))
	// The magic byte is at the same place in all formats; the length means nothing before
	// that byte is known.
	if len(b) > atMagic && b[atMagic] < 2 {
		return logBatch{}, legacyMagic(b[atMagic])
	}
	if len(b) > atMagic && b[atMagic] > 2 {
		return logBatch{}, fmt.Errorf("unknown format v%d", b[atMagic])
	}
	if size < batchHeaderSize || size > MaxBytes {
		return logBatch{}, fmt.Errorf("a batch can't have %d bytes", size)
	}
	if size > int64(len(b)) {
		return logBatch{}, &cutError{size: int(size)}
	}
	return w.parse(b[:size])
}

func (w *batchWalk) parse(b []byte) (logBatch, error) {
	base := int64(binary.BigEndian.Uint64(b[atBaseOffset:]))
	delta := int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:]))
	h := logBatch{
		base:          base,
		last:          base + int64(delta),
		size:          len(b),
		attributes:    int16(binary.BigEndian.Uint16(b[atAttributes:])),
		baseTimestamp: int64(binary.BigEndian.Uint64(b[atBaseTimestamp:])),
		maxTimestamp:  int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])),
		producerID:    int64(binary.BigEndian.Uint64(b[atProducerID:])),
		count:         int32(binary.BigEndian.Uint32(b[atRecordCount:])),
		bytes:         b,
	}
	switch {
	case delta < 0 || base < 0 || base > math.MaxInt64-int64(delta)-1:
		return h, fmt.Errorf("offsets from %d on can't be %d further", base, delta)
	case base < w.next:
		return h, fmt.Errorf("base offset %d lies below %d, where the batch before it ends", base, w.next)
	case h.count < 0 || int64(h.count) > int64(delta)+1:
		return h, fmt.Errorf("%d records can't be in a batch of %d offsets", h.count, int64(delta)+1)
	}
	return h, nil
}

// pass moves past the batch that peek returned.
func (w *batchWalk) pass(h *logBatch) {
	w.pos += h.size
	w.next = h.last + 1
}
