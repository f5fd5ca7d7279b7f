package worker

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Header is one header of a record. Names may repeat; their order is kept.
type Header struct {
	Key string
	// Value is nil for a null value; an empty value is not nil.
	Value []byte
}

// Record is one Kafka message as it was read.
//
// A nil Key or Value is Kafka's null; an empty one is not nil. A record whose
// value is null is a tombstone.
//
// Ownership: Key, Value, Headers and the strings in them are borrowed from the
// worker's fetch buffer. They are valid until the call that the record was handed to
// returns, and must not be written to. Code that keeps them longer has to copy them.
// They may be handed to Outputs as they are.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	// Timestamp has the resolution of a millisecond. A record without a timestamp
	// (-1 in the log) has the zero time. A time before 1970 is a negative number in
	// the log.
	Timestamp time.Time
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Header returns the value of the last header called name, and whether there
// is one.
func (r *Record) Header(name string) ([]byte, bool) {
	return usercode.As[record.Record](r).Header(name)
}

// Size returns the bytes of key, value and headers, which the record counts towards
// inFlight.bytes.
func (r *Record) Size() int { return usercode.As[record.Record](r).Size() }
