package batch

import "github.com/millrace-dev/millrace/worker/internal/record"

// noTimestamp is the timestamp of a record that has none.
const noTimestamp = -1

// Message is a record to write.
type Message struct {
	// Key and Value are Kafka's null if they are nil.
	Key, Value []byte
	// Extra are appended to Headers.
	Headers, Extra []record.Header
	// Timestamp is in milliseconds since 1970, negative before; -1 is none.
	Timestamp int64
}

// Origin identifies the input of a record. The acknowledgement carries it back.
type Origin struct {
	// Owner is a pointer: other values would be allocated.
	Owner any
	Index int32

	// Anywhere is true if the record may go to any partition. The topic's writer sets it.
	Anywhere bool
	// Joint is true if the input has several records to write, which belong into one
	// transaction.
	Joint bool
}
