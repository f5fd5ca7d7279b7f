package batch

import "github.com/millrace-dev/millrace/worker/internal/record"

// noTimestamp is the timestamp of a record that has none.
const noTimestamp = -1

// Message is a record to be written.
type Message struct {
	// Key and Value are Kafka's null if they are nil.
	Key, Value []byte
	// Extra are appended to Headers.
	Headers, Extra []record.Header
	// Timestamp is in milliseconds since 1970, negative before; -1 is none.
	Timestamp int64
}

// Origin says what a record was made for. Acks carry it back.
type Origin struct {
	// Owner is a pointer, so that it is kept without an allocation.
	Owner any
	Index int32

	// Anywhere is set by TopicWriter.Append: the record may go to any partition.
	Anywhere bool
}
