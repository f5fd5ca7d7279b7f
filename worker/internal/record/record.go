// Package record defines the values that travel through a worker: the Record that was
// read, the Outputs that a processor makes of it, and its Outcome.
//
// It stands below every other package of the data path, so that fetching, dispatching,
// processing and producing share these values without copying them. Package worker has
// a counterpart of each type for users, with the same layout in memory and with the
// full documentation; package usercode converts pointers between the two.
package record

import "time"

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is one Kafka message as it was read. Key, Value, Headers and the strings in
// them are borrowed from the fetch buffer.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time // the zero time if the record has none
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

// Size returns the bytes of key, value and headers, which the record counts towards
// the bounds on records in flight.
func (r *Record) Size() int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}
