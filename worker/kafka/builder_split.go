package kafka

// encodedRecord is a record of a builder, as far as its place in the batch
// matters.
type encodedRecord struct {
	timestampDelta int64
	rest           []byte // from the key on
}

// records returns the records of a batch in their order. The batch was written
// by this package, so nothing about it can be wrong.
func (b *builder) records(yield func(int, encodedRecord) bool) {
	at := batchHeaderSize
	for i := range b.origins {
		length, start := uvarint(b.data, at)
		end := start + int(zigzag(length))
		timestamp, next := uvarint(b.data, start+1) // behind the attributes
		_, next = uvarint(b.data, next)             // the offset delta
		if !yield(i, encodedRecord{timestampDelta: zigzag(timestamp), rest: b.data[next:end]}) {
			return
		}
		at = end
	}
}

// subset returns a new batch of the records that keep chooses, with their
// origins. It has nothing reserved of the budget.
//
// It keeps the base timestamp, even if it is not that of its first record any
// more: so no record gets longer, and all of them have room.
func (b *builder) subset(memory *buffer, fresh *builder, keep func(i int) bool) *builder {
	fresh.start(memory, len(memory.data))
	fresh.since, fresh.firstTimestamp = b.since, b.firstTimestamp
	for i, rec := range b.records {
		if !keep(i) {
			continue
		}
		fresh.end = rec.encode(fresh.data, fresh.end, int64(len(fresh.origins)))
		fresh.origins = append(fresh.origins, b.origins[i])
		fresh.maxTimestamp = max(fresh.maxTimestamp, b.firstTimestamp+rec.timestampDelta)
	}
	return fresh
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
