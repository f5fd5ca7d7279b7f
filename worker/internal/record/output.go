package record

import "time"

// Output is one record to write. KeyFor, HeadersFor and TimestampFor return the parts
// that it may take over from the input record.
type Output struct {
	Value     []byte // nil is a tombstone
	Key       []byte // nil stands for the input's, unless NullKey is set
	NullKey   bool
	Headers   []Header  // nil stands for the input's
	Timestamp time.Time // the zero time stands for the input's
	Topic     string    // "" is the output topic
}

// Outputs collects the outputs of one record. The engine owns it and reuses it from
// record to record.
type Outputs struct {
	list  []Output
	arena []byte
	err   error
}

// Emit adds a record to write.
func (o *Outputs) Emit(out Output) { o.list = append(o.list, out) }

// EmitValue adds a record with the input's key, headers and timestamp and the
// given value; nil is a tombstone.
func (o *Outputs) EmitValue(value []byte) {
	if n := len(o.list); n < cap(o.list) { // the elements beyond n are zero; see Reset
		o.list = o.list[:n+1]
		o.list[n].Value = value
		return
	}
	o.list = append(o.list, Output{Value: value})
}

// Buffer returns an empty slice with room for n bytes, without an allocation in the
// steady state.
func (o *Outputs) Buffer(n int) []byte {
	if o.arena == nil || cap(o.arena)-len(o.arena) < n { // never nil: an empty value is not null
		// Slices handed out before keep the old block alive.
		o.arena = make([]byte, 0, max(2*cap(o.arena), n, 4096))
	}
	start := len(o.arena)
	o.arena = o.arena[:start+n]
	return o.arena[start : start : start+n]
}

// Fail marks the record's attempt as failed. A nil error changes nothing.
func (o *Outputs) Fail(err error) {
	if err != nil {
		o.err = err
	}
}

// Err returns the error that Fail was given, or nil.
func (o *Outputs) Err() error { return o.err }

// List returns the outputs in the order in which they were emitted. It is valid until
// Reset.
func (o *Outputs) List() []Output { return o.list }

// Reset empties o for the next record and keeps its memory, unless one record
// had made it large.
func (o *Outputs) Reset() {
	const keepBytes, keepOutputs = 1 << 20, 1 << 12
	if cap(o.arena) > keepBytes {
		o.arena = nil
	}
	if cap(o.list) > keepOutputs {
		o.list = nil
	}
	clear(o.list)
	o.list, o.arena, o.err = o.list[:0], o.arena[:0], nil
}
