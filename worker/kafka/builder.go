package kafka

import "time"

// builder gathers the records of one log batch, encoded as they come, and their
// origins. It belongs to the partitionQueue it is in.
type builder struct {
	memory *buffer // room for the header, then the records
	data   []byte  // memory's bytes, as many as the batch may have
	end    int     // where the next record goes
	// origins are those of the records, in order: as many as there are
	// records.
	origins        []Origin
	movable        int32 // records that may go to any partition
	firstTimestamp int64
	maxTimestamp   int64
	since          time.Time // when the first record came

	// Reserved is how many bytes of memory the writer has set aside for it.
	Reserved int64
	// MaybeStored reports that the batch was sent, and that no answer rules out that
	// it is stored.
	MaybeStored bool

	// What follows is set when the batch is closed.
	packTried bool
	packed    *buffer // the compressed batch; nil if it is not compressed
	packedTo  int     // bytes of packed in use
	codec     int8
	ready     bool // its header is written
}

// Count returns how many records there are.
func (b *builder) Count() int32 { return int32(len(b.origins)) }

// Size returns the bytes of the batch before compression.
func (b *builder) Size() int { return b.end }

// Payload returns the bytes of the records before compression.
func (b *builder) Payload() int { return b.end - batchHeaderSize }

// Room returns how many bytes the batch may have in its memory.
func (b *builder) Room() int { return len(b.data) }

// Allocated returns the bytes of the batch's memory.
func (b *builder) Allocated() int { return len(b.memory.data) }

// Since returns the time when the first record came.
func (b *builder) Since() time.Time { return b.since }

// Origins returns the origins of the records, in order. They stay the builder's.
func (b *builder) Origins() []Origin { return b.origins }

// Movable returns how many of the records may go to any partition.
func (b *builder) Movable() int32 { return b.movable }

// Finished reports whether the batch has its header.
func (b *builder) Finished() bool { return b.ready }

// Reopen makes the batch ready for a header under another identity.
func (b *builder) Reopen() { b.ready = false }

// start makes b an empty batch in memory, of at most limit bytes.
func (b *builder) start(memory *buffer, limit int) {
	b.setMemory(memory, limit)
	b.end = batchHeaderSize
	b.origins = b.origins[:0]
	b.maxTimestamp = noTimestamp
	b.since = time.Now()
}

func (b *builder) setMemory(memory *buffer, limit int) {
	b.memory, b.data = memory, memory.data[:min(len(memory.data), limit)]
}

// grow moves what was gathered to larger memory.
func (b *builder) grow(memory *buffer, limit int) {
	old := b.memory
	copy(memory.data, old.data[:b.end])
	b.setMemory(memory, limit)
	old.release()
}

// measure returns the shape m would have as the next record.
func (b *builder) measure(m *Message) recordShape {
	if len(b.origins) == 0 {
		return measure(m, 0, 0)
	}
	return measure(m, m.Timestamp-b.firstTimestamp, int64(len(b.origins)))
}

// write appends m, measured as s; there must be room.
func (b *builder) write(m *Message, s recordShape, o Origin) {
	if len(b.origins) == 0 {
		b.firstTimestamp = m.Timestamp
	}
	b.maxTimestamp = max(b.maxTimestamp, m.Timestamp)
	b.end = encodeRecord(b.data, b.end, m, s)
	b.addOrigin(o)
}

func (b *builder) addOrigin(o Origin) {
	b.origins = append(b.origins, o)
	if o.Anywhere {
		b.movable++
	}
}

// wire returns the batch as it is sent. It must be ready.
func (b *builder) wire() []byte {
	if b.packed != nil {
		return b.packed.data[:b.packedTo]
	}
	return b.data[:b.end]
}

// finish writes the header under an identity and a sequence number. It may be
// called again, with others.
func (b *builder) finish(producer producerIdentity, sequence int32) {
	header := batchHeader{
		codec:          b.codec,
		count:          b.Count(),
		firstTimestamp: b.firstTimestamp,
		maxTimestamp:   b.maxTimestamp,
		producer:       producer,
		sequence:       sequence,
	}
	header.encode(b.wire())
	b.ready = true
}

// free gives back b's memory.
func (b *builder) free() {
	b.memory.release()
	if b.packed != nil {
		b.packed.release()
	}
	b.memory, b.data, b.packed = nil, nil, nil
}
