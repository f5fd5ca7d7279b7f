package worker

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Output is one record to write. Every field but Value may keep its zero value, which
// takes over the input record's. So an Output with only a Value keeps key, headers and
// timestamp.
type Output struct {
	// Value is written as it is: nil is a tombstone, empty is empty.
	Value []byte
	// Key replaces the input's key; nil keeps it. NullKey writes a null key.
	Key     []byte
	NullKey bool
	// Headers replace the input's; nil keeps them, an empty slice removes
	// them. The input's W3C trace context is kept in any case, unless Headers
	// contain a traceparent.
	Headers []Header
	// Timestamp replaces the input's; the zero time keeps it.
	Timestamp time.Time
	// Topic names the topic to write to; "" is the output topic.
	Topic string
}

// Outputs collects the records that a processor makes of one record. The worker owns
// it and reuses it from record to record. Only the goroutine that it was handed to may
// use it, and only until the call returns.
//
// The worker drops the outputs of a failed attempt.
type Outputs struct{ outputs record.Outputs }

// Emit adds a record to write. The bytes it refers to must not change
// afterwards; they may be those of the input record, those of Buffer, or the
// caller's own.
func (o *Outputs) Emit(out Output) { o.outputs.Emit(*usercode.As[record.Output](&out)) }

// EmitValue adds a record with the input's key, headers and timestamp and the
// given value; nil is a tombstone.
func (o *Outputs) EmitValue(value []byte) { o.outputs.EmitValue(value) }

// Buffer returns an empty slice with room for n bytes, to build a key or value in
// without an allocation in the steady state. It is the caller's until the
// record's call returns; appending beyond n moves it to new memory.
func (o *Outputs) Buffer(n int) []byte { return o.outputs.Buffer(n) }

// Fail marks this record's attempt as failed. A BatchProcessor uses it to fail
// one record of its batch and not the others. A nil error changes nothing.
func (o *Outputs) Fail(err error) { o.outputs.Fail(err) }
