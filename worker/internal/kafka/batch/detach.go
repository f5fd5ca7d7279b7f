package batch

import (
	"bytes"
	"strings"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Copy is the memory of a record that was detached from its Batch.
type Copy struct{ memory *Buffer }

// Release gives the memory back; the record must not be read any more.
func (c *Copy) Release() { c.memory.Release() }

// Detach copies rec, a record of b, to new memory, so that it can outlive the memory that
// b borrows. Nobody may read the record during the call, and other calls of Detach and
// Loosen must not run at the same time.
func (b *Batch) Detach(rec *record.Record) *Copy {
	from := b.buffers[0]
	// This buffer only counts the bytes: the copies are ordinary Go memory.
	memory := &Buffer{pool: from.pool, owner: from.owner, size: rec.Size()}
	memory.lost.Store(true)
	memory.refs.Store(1)
	memory.charge(0, memory.size)
	rec.Key, rec.Value = bytes.Clone(rec.Key), bytes.Clone(rec.Value)
	headers := make([]record.Header, len(rec.Headers))
	for i, h := range rec.Headers {
		headers[i] = record.Header{Key: strings.Clone(h.Key), Value: bytes.Clone(h.Value)}
	}
	if len(headers) > 0 {
		rec.Headers = headers
	}
	b.large = true // Release clears the records, which keep the copies alive
	return &Copy{memory}
}

// Borrowed returns how many bytes of memory b keeps from being used again.
func (b *Batch) Borrowed() (bytes int) {
	for _, buf := range b.buffers {
		bytes += len(buf.data)
	}
	return bytes
}

// Loosen gives up the memory that b borrows. It clears all records except those that keep
// selects by index, which must be detached. A record that still referred to the memory
// would keep it alive, although the pool counts it as free.
func (b *Batch) Loosen(keep func(i int) bool) {
	for i := range b.Records {
		if rec := &b.Records[i]; !keep(i) {
			rec.Key, rec.Value, rec.Headers = nil, nil, nil
		}
	}
	clear(b.headers)
	for i, buf := range b.buffers {
		buf.Release()
		b.buffers[i] = nil
	}
	b.buffers = b.buffers[:0]
}
