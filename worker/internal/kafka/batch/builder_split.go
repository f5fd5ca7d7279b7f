package batch

// encodedRecord is a record of a builder, with the fields that depend on its place in the
// batch.
type encodedRecord struct {
	timestampDelta int64
	size           int    // of all of it
	rest           []byte // from the key on
}

// allRecords yields the records of a batch in order. This package wrote the batch, so it
// is well formed.
func (b *Builder) allRecords(yield func(int, encodedRecord) bool) {
	at := batchHeaderSize
	for i := range b.origins {
		length, start := uvarint(b.data, at)
		end := start + int(zigzag(length))
		timestamp, next := uvarint(b.data, start+1) // behind the attributes
		_, next = uvarint(b.data, next)             // the offset delta
		if !yield(i, encodedRecord{timestampDelta: zigzag(timestamp), size: end - at, rest: b.data[next:end]}) {
			return
		}
		at = end
	}
}

// key returns the record's key; null is nil.
func (r encodedRecord) key() []byte {
	length, at := uvarint(r.rest, 0)
	n := int(zigzag(length))
	if n < 0 {
		return nil
	}
	return r.rest[at : at+n : at+n]
}

// Keys returns the keys of the records in their order; null is nil.
func (b *Builder) Keys(yield func(int, []byte) bool) {
	for i, rec := range b.allRecords {
		if !yield(i, rec.key()) {
			return
		}
	}
}

// Divide makes new batches of b's records and returns them by number. Record i goes
// to batch parts[i], or to none if that is negative; a batch without records is nil.
// They take their memory from buffers at once, whatever the writer's budget.
//
// They keep the base timestamp, even if it is not that of their first record any more. So
// no record gets longer, and all of them have room.
func (b *Builder) Divide(parts []int32, builders *BuilderPool, buffers *Pool) []*Builder {
	sizes := make([]int, 0, 2)
	for i, rec := range b.allRecords {
		for int(parts[i]) >= len(sizes) {
			sizes = append(sizes, batchHeaderSize)
		}
		if parts[i] >= 0 {
			sizes[parts[i]] += rec.size
		}
	}
	divided := make([]*Builder, len(sizes))
	for n, size := range sizes {
		if size == batchHeaderSize {
			continue
		}
		memory := buffers.Get(size)
		divided[n] = builders.Get()
		divided[n].Start(memory, len(memory.data))
		divided[n].since, divided[n].firstTimestamp = b.since, b.firstTimestamp
		divided[n].MaybeStored, divided[n].Transaction = b.MaybeStored, b.Transaction
	}
	for i, rec := range b.allRecords {
		if parts[i] >= 0 {
			divided[parts[i]].take(rec, b.origins[i])
		}
	}
	return divided
}

// take appends a record of another batch with the same base timestamp.
func (b *Builder) take(rec encodedRecord, o Origin) {
	b.end = rec.encode(b.data, b.end, int64(len(b.origins)))
	b.addOrigin(o)
	b.maxTimestamp = max(b.maxTimestamp, b.firstTimestamp+rec.timestampDelta)
}

// PiecesOf numbers b's records for Divide: consecutive records get the same number as
// long as their batch stays within limit bytes. A larger record is alone.
func (b *Builder) PiecesOf(limit int) []int32 {
	pieces := make([]int32, b.Count())
	piece, end := int32(0), batchHeaderSize
	for i, rec := range b.allRecords {
		if end > batchHeaderSize && end+rec.size > limit {
			piece, end = piece+1, batchHeaderSize
		}
		end += rec.size
		pieces[i] = piece
	}
	return pieces
}

// Halves numbers the first half of b's records 0 and the others 1.
func (b *Builder) Halves() []int32 {
	half := make([]int32, b.Count())
	for i := len(half) / 2; i < len(half); i++ {
		half[i] = 1
	}
	return half
}

// encode writes the record to b[at:] as number offsetDelta of its batch.
func (r encodedRecord) encode(b []byte, at int, offsetDelta int64) int {
	body := 1 + varintSize(r.timestampDelta) + varintSize(offsetDelta) + len(r.rest)
	at = putVarint(b, at, int64(body))
	b[at] = 0 // attributes
	at = putVarint(b, at+1, r.timestampDelta)
	at = putVarint(b, at, offsetDelta)
	return at + copy(b[at:], r.rest)
}
