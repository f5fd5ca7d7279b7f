package batch

import "time"

// Builder gathers the records of one log batch, encoded as they come, and their origins.
// It belongs to the queue that holds it.
type Builder struct {
	memory *Buffer // room for the header, then the records
	data   []byte  // memory's bytes, as many as the batch may have
	end    int     // where the next record goes
	// origins holds the origin of each record, in order.
	origins        []Origin
	movable        int32 // records that may go to any partition
	joint          int32 // records whose input has others
	firstTimestamp int64
	maxTimestamp   int64
	since          time.Time // when the first record came

	// Reserved is how many bytes of memory the writer has set aside for it.
	Reserved int64
	// MaybeStored is true if the batch was sent and the broker may have stored it.
	MaybeStored bool
	// Transaction is the number of the transaction that the batch belongs to, as its
	// writer counts them; 0 is none.
	Transaction uint64

	// The fields below are set when the batch is closed.
	packTried bool
	packed    *Buffer // the compressed batch; nil if it is not compressed
	packedTo  int     // bytes of packed in use
	codec     int8
	ready     bool // its header is written
}

// Count returns how many records there are.
func (b *Builder) Count() int32 { return int32(len(b.origins)) }

// Size returns the bytes of the batch before compression.
func (b *Builder) Size() int { return b.end }

// Payload returns the bytes of the records before compression.
func (b *Builder) Payload() int { return b.end - batchHeaderSize }

// Room returns how many bytes the batch may have in its memory.
func (b *Builder) Room() int { return len(b.data) }

// Allocated returns the bytes of the batch's memory.
func (b *Builder) Allocated() int { return len(b.memory.data) }

// Since returns the time when the first record came.
func (b *Builder) Since() time.Time { return b.since }

// Origins returns the origins of the records, in order. They stay the builder's.
func (b *Builder) Origins() []Origin { return b.origins }

// Movable returns how many of the records may go to any partition.
func (b *Builder) Movable() int32 { return b.movable }

// Joint returns how many of the records have an input with several records.
func (b *Builder) Joint() int32 { return b.joint }

// Finished reports whether the batch has its header.
func (b *Builder) Finished() bool { return b.ready }

// Reopen makes the batch ready for a header under another identity.
func (b *Builder) Reopen() { b.ready = false }

// Start makes b an empty batch in memory, of at most limit bytes.
func (b *Builder) Start(memory *Buffer, limit int) {
	b.setMemory(memory, limit)
	b.end = batchHeaderSize
	b.origins = b.origins[:0]
	b.maxTimestamp = noTimestamp
	b.since = time.Now()
}

func (b *Builder) setMemory(memory *Buffer, limit int) {
	b.memory, b.data = memory, memory.data[:min(len(memory.data), limit)]
}

// Grow moves the batch to larger memory.
func (b *Builder) Grow(memory *Buffer, limit int) {
	old := b.memory
	copy(memory.data, old.data[:b.end])
	b.setMemory(memory, limit)
	old.Release()
}

// Measure returns the shape m would have as the next record.
func (b *Builder) Measure(m *Message) Shape {
	if len(b.origins) == 0 {
		return measure(m, 0, 0)
	}
	return measure(m, m.Timestamp-b.firstTimestamp, int64(len(b.origins)))
}

// Append appends m, measured as s; there must be room.
func (b *Builder) Append(m *Message, s Shape, o Origin) {
	if len(b.origins) == 0 {
		b.firstTimestamp = m.Timestamp
	}
	b.maxTimestamp = max(b.maxTimestamp, m.Timestamp)
	b.end = encodeRecord(b.data, b.end, m, s)
	b.addOrigin(o)
}

func (b *Builder) addOrigin(o Origin) {
	b.origins = append(b.origins, o)
	if o.Anywhere {
		b.movable++
	}
	if o.Joint {
		b.joint++
	}
}

// Encoded returns the batch as it is sent. It must be ready.
func (b *Builder) Encoded() []byte {
	if b.packed != nil {
		return b.packed.data[:b.packedTo]
	}
	return b.data[:b.end]
}

// Finish writes the header with an identity and a sequence number. The caller may call it
// again with others.
func (b *Builder) Finish(producer Identity, sequence int32) {
	header := batchHeader{
		codec:          b.codec,
		count:          b.Count(),
		firstTimestamp: b.firstTimestamp,
		maxTimestamp:   b.maxTimestamp,
		producer:       producer,
		sequence:       sequence,
		transactional:  b.Transaction > 0,
	}
	header.encode(b.Encoded())
	b.ready = true
}

// Free gives back b's memory.
func (b *Builder) Free() {
	b.memory.Release()
	if b.packed != nil {
		b.packed.Release()
	}
	b.memory, b.data, b.packed = nil, nil, nil
}
