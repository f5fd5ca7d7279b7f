// Package record defines what travels through a worker: the Record that was
// read, the Outputs made of it, the interfaces of the code that turns one into
// the other, and the Outcome it came to.
//
// It stands below every other package of the data path, so that fetching,
// dispatch, processing and producing speak of the same values without copying
// them. Users meet these types under their names in package worker.
package record

import "time"

// Header is one header of a record. Names may repeat; order is kept.
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
// worker's fetch buffer. They are valid until the call that was handed the
// record returns, must not be written to, and have to be copied by whoever
// keeps them longer. They may be handed to Outputs as they are.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	// Timestamp has the resolution of a millisecond. A record that carries
	// none (-1 in the log) has the zero time; before 1970 it is negative in the
	// log.
	Timestamp time.Time
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Header returns the value of the last header called name, and whether there
// is one.
func (r *Record) Header(name string) ([]byte, bool) {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == name {
			return r.Headers[i].Value, true
		}
	}
	return nil, false
}

// Size returns the bytes of key, value and headers: what the record counts
// towards the bounds on what is in flight.
func (r *Record) Size() int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}
