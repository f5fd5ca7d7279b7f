package frame

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-dev/millrace/worker"
)

// Batch is a list of records for a process. All are of one topic.
type Batch struct {
	ID            uint64
	Topic         string
	TimeoutMillis uint32
	Records       []*worker.Record
	// Attempts holds the number of each record's attempt, from 1.
	Attempts []uint32
}

// Encoder appends frames with batches. It reuses its memory. One goroutine at a time may
// use it.
type Encoder struct {
	sizes    []int // of the records that were measured
	body     int   // bytes of their batch's message
	measured bool  // by Size, for the next Append
}

// Size returns the bytes of the message of the frame that Append would append, without its
// prefix. An Append that follows has to get the same batch, unless Size is called again.
func (e *Encoder) Size(batch *Batch) int {
	e.measure(batch)
	e.measured = true
	return sizeOfBytes(e.body)
}

// Append appends a frame with the batch.
func (e *Encoder) Append(b []byte, batch *Batch) []byte {
	if !e.measured {
		e.measure(batch)
	}
	e.measured = false
	start := len(b)
	b = appendTag(begin(b), workerBatch, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(e.body))
	b = appendNumber(b, 1, batch.ID)
	b = appendText(b, 2, batch.Topic)
	b = appendNumber(b, 3, uint64(batch.TimeoutMillis))
	for i, rec := range batch.Records {
		b = protowire.AppendVarint(appendTag(b, 4, protowire.BytesType), uint64(e.sizes[i]))
		b = appendRecord(b, rec, batch.Attempts[i])
	}
	return end(b, start)
}

// measure notes the bytes of the batch's message, and those of each record's.
func (e *Encoder) measure(batch *Batch) {
	e.sizes = e.sizes[:0]
	e.body = sizeOfNumber(batch.ID) + sizeOfText(batch.Topic) + sizeOfNumber(uint64(batch.TimeoutMillis))
	for i, rec := range batch.Records {
		size := sizeOfRecord(rec, batch.Attempts[i])
		e.sizes = append(e.sizes, size)
		e.body += sizeOfBytes(size)
	}
}

func appendRecord(b []byte, rec *worker.Record, attempt uint32) []byte {
	b = appendNumber(b, 1, uint64(rec.Partition))
	b = appendNumber(b, 2, uint64(rec.Offset))
	if !rec.Timestamp.IsZero() {
		b = appendTag(b, 3, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(rec.Timestamp.UnixMilli()))
	}
	b = appendNullable(b, 4, rec.Key)
	b = appendNullable(b, 5, rec.Value)
	for i := range rec.Headers {
		h := &rec.Headers[i]
		b = appendTag(b, 6, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(sizeOfHeader(h)))
		b = appendText(b, 1, h.Key)
		b = appendNullable(b, 2, h.Value)
	}
	return appendNumber(b, 7, uint64(attempt))
}

// appendNullable appends a field that is left out if it is null.
func appendNullable(b []byte, num protowire.Number, v []byte) []byte {
	if v == nil {
		return b
	}
	return protowire.AppendBytes(appendTag(b, num, protowire.BytesType), v)
}

func sizeOfRecord(rec *worker.Record, attempt uint32) int {
	size := sizeOfNumber(uint64(rec.Partition)) + sizeOfNumber(uint64(rec.Offset)) +
		sizeOfNullable(rec.Key) + sizeOfNullable(rec.Value) + sizeOfNumber(uint64(attempt))
	if !rec.Timestamp.IsZero() {
		size += 1 + protowire.SizeVarint(uint64(rec.Timestamp.UnixMilli()))
	}
	for i := range rec.Headers {
		size += sizeOfBytes(sizeOfHeader(&rec.Headers[i]))
	}
	return size
}

func sizeOfHeader(h *worker.Header) int { return sizeOfText(h.Key) + sizeOfNullable(h.Value) }

// The sizes of fields, with their tags: a tag is one byte, since all numbers are below 16.

func sizeOfNumber(v uint64) int {
	if v == 0 {
		return 0
	}
	return 1 + protowire.SizeVarint(v)
}

func sizeOfBytes(n int) int { return 1 + protowire.SizeBytes(n) }

func sizeOfText(s string) int {
	if s == "" {
		return 0
	}
	return sizeOfBytes(len(s))
}

func sizeOfNullable(v []byte) int {
	if v == nil {
		return 0
	}
	return sizeOfBytes(len(v))
}
