package batch

import "github.com/millrace-dev/millrace/worker/internal/record"

// Batch is a run of consecutive records of one partition and the memory they
// borrow. The zero Batch is ready for Set.Next. It has one owner at a time;
// Release may be called from any goroutine.
type Batch struct {
	// Records are in the order of their offsets. Nobody may use them, or the memory they
	// refer to, after Release.
	Records []record.Record
	// First and Next bound the offsets that the batch covers: from First up to, not
	// including, Next. The range includes the offsets of control batches, aborted
	// transactions and compacted records.
	First, Next int64
	// Bytes is the sum of the records' Size.
	Bytes int

	headers []record.Header // what Records' headers are slices of
	buffers []*Buffer       // one hold each
	large   bool            // one of buffers is not kept by its pool
}

// A Batch with more than these does not keep its memory for the next use.
const (
	keptRecords = 4 << 10
	keptHeaders = 16 << 10
)

// Release gives up the records and the memory they borrow; the Batch may be used
// again. Releasing a released or zero Batch does nothing.
func (b *Batch) Release() {
	for i, buf := range b.buffers {
		buf.Release()
		b.buffers[i] = nil
	}
	if cap(b.Records) > keptRecords {
		b.Records = nil
	}
	if cap(b.headers) > keptHeaders {
		b.headers = nil
	}
	if b.large {
		// The records that remain must not keep alive memory that no pool keeps. Clearing
		// them each time would cost as much as decoding.
		clear(b.Records)
		clear(b.headers)
		b.large = false
	}
	b.Records, b.headers, b.buffers = b.Records[:0], b.headers[:0], b.buffers[:0]
	b.First, b.Next, b.Bytes = 0, 0, 0
}

// Abandon is Release for records that other goroutines may still read: their memory is
// not used again.
func (b *Batch) Abandon() {
	for _, buf := range b.buffers {
		buf.lost.Store(true)
	}
	b.Records, b.headers = nil, nil
	b.Release()
}

// borrow holds buf until Release.
func (b *Batch) borrow(buf *Buffer) {
	// A Batch goes through a Set's buffers in order, so looking at the last
	// one is enough to hold each once or, with a raw buffer between
	// decompressed ones, a few times.
	if n := len(b.buffers); n > 0 && b.buffers[n-1] == buf {
		return
	}
	buf.retain()
	b.buffers = append(b.buffers, buf)
	b.large = b.large || bufferClass(len(buf.data)) >= bufferClasses
}
