package record

import "time"

// Output is one record to be written. Every field but Value may be left at its
// zero value, which takes over what the input record has; so the zero Output
// with only a Value keeps key, headers and timestamp.
type Output struct {
	// Value is written as it is: nil is a tombstone, empty is empty.
	Value []byte
	// Key replaces the input's key; nil keeps it. NullKey writes a null key.
	Key     []byte
	NullKey bool
	// Headers replace the input's; nil keeps them, an empty slice removes
	// them.
	Headers []Header
	// Timestamp replaces the input's; the zero time keeps it.
	Timestamp time.Time
	// Topic is where the record goes; "" is the output topic.
	Topic string
}

// Outputs collects what a processor makes of one record. It belongs to the
// worker, is reused from record to record, and must be used only by the
// goroutine that was handed it and only until the call returns.
//
// What a failed attempt emitted is thrown away.
type Outputs struct {
	list  []Output
	arena []byte
	err   error
}

// Emit adds a record to write. The bytes it refers to must not change
// afterwards; they may be those of the input record, those of Buffer, or the
// caller's own.
func (o *Outputs) Emit(out Output) { o.list = append(o.list, out) }

// EmitValue adds a record with the input's key, headers and timestamp and the
// given value; nil is a tombstone.
func (o *Outputs) EmitValue(value []byte) {
	if n := len(o.list); n < cap(o.list) { // what lies beyond n is zero; see Reset
		o.list = o.list[:n+1]
		o.list[n].Value = value
		return
	}
	o.list = append(o.list, Output{Value: value})
}

// Buffer returns an empty slice with room for n bytes to build a key or value
// in, without an allocation in the steady state. It is the caller's until the
// record's call returns; appending beyond n moves it to memory of its own.
func (o *Outputs) Buffer(n int) []byte {
	if o.arena == nil || cap(o.arena)-len(o.arena) < n { // never nil: an empty value is not null
		// Slices handed out before keep the old block alive.
		o.arena = make([]byte, 0, max(2*cap(o.arena), n, 4096))
	}
	start := len(o.arena)
	o.arena = o.arena[:start+n]
	return o.arena[start : start : start+n]
}

// Fail marks this record's attempt as failed; a BatchProcessor uses it to fail
// one record of its batch and not the others. A nil error changes nothing.
func (o *Outputs) Fail(err error) {
	if err != nil {
		o.err = err
	}
}

// Err returns what Fail was given, or nil.
func (o *Outputs) Err() error { return o.err }

// List returns what was emitted, in order. It is valid until Reset.
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
