package frame

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-dev/millrace/worker"
)

// Result is one record's result while it is decoded.
type Result struct {
	Index uint32
	// Failure is nil if the record has not failed.
	Failure *Failure

	message []byte
	outputs int
}

// Decoder decodes the results of a Results message one by one. What it returns refers to the
// message's memory.
type Decoder struct{ f fields }

// NewDecoder returns a Decoder of a message that ParseResults has accepted.
func NewDecoder(message []byte) Decoder { return Decoder{fields{rest: message}} }

// Next decodes the next result; ok is false at the end.
func (d *Decoder) Next() (r Result, ok bool, err error) {
	for d.f.next() {
		if d.f.isBytes(2) {
			r, err = parseResult(d.f.bytes)
			return r, true, err
		}
	}
	return r, false, d.f.err
}

func parseResult(b []byte) (Result, error) {
	r := Result{message: b}
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			r.Index = uint32(f.varint)
		case f.isBytes(2):
			r.outputs++
		case f.isBytes(3):
			if r.Failure != nil {
				return r, Mistakef("the result of record %d has two failures", r.Index)
			}
			failure, err := parseFailure(f.bytes)
			if err != nil {
				return r, err
			}
			r.Failure = &failure
		}
	}
	if f.err == nil && r.Failure != nil && r.outputs > 0 {
		f.err = Mistakef("the result of record %d has outputs and a failure", r.Index)
	}
	return r, f.err
}

// Emit decodes the result's outputs into out. rec is the input record, whose parts they may
// take.
func (r *Result) Emit(rec *worker.Record, out *worker.Outputs) error {
	f := fields{rest: r.message}
	for f.next() {
		if !f.isBytes(2) {
			continue
		}
		output, err := parseOutput(f.bytes, rec)
		if err != nil {
			return err
		}
		out.Emit(output)
	}
	return f.err
}

// output is an Output as it is decoded.
type output struct {
	worker.Output
	headers                       int
	sameKey, sameValue, sameHeads bool
}

func parseOutput(b []byte, rec *worker.Record) (worker.Output, error) {
	var o output
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isBytes(1):
			o.Value = f.bytes
		case f.isBytes(2):
			o.Key = f.bytes
		case f.isBytes(3):
			o.headers++
		case f.isBytes(4):
			o.Topic = string(f.text())
		case f.isVarint(5):
			o.Timestamp = time.UnixMilli(int64(f.varint))
		case f.isVarint(6):
			o.sameKey = protowire.DecodeBool(f.varint)
		case f.isVarint(7):
			o.sameValue = protowire.DecodeBool(f.varint)
		case f.isVarint(8):
			o.sameHeads = protowire.DecodeBool(f.varint)
		}
	}
	if f.err != nil {
		return o.Output, f.err
	}
	err := o.complete(b, rec)
	return o.Output, err
}

// complete sets what follows from the other fields of the message b.
func (o *output) complete(b []byte, rec *worker.Record) error {
	switch {
	case o.sameKey && o.Key != nil:
		return Mistakef("an output sets its key and takes that of the record too")
	case o.sameValue && o.Value != nil:
		return Mistakef("an output sets its value and takes that of the record too")
	}
	o.NullKey = o.Key == nil && !o.sameKey
	if o.sameValue {
		o.Value = rec.Value
	}
	if o.sameHeads && o.headers == 0 {
		return nil // nil keeps the record's
	}
	kept := 0
	if o.sameHeads {
		kept = len(rec.Headers)
	}
	o.Headers = make([]worker.Header, kept, kept+o.headers)
	copy(o.Headers, rec.Headers)
	return o.appendHeaders(b)
}

func (o *output) appendHeaders(b []byte) error {
	f := fields{rest: b}
	for f.next() {
		if !f.isBytes(3) {
			continue
		}
		h, err := parseHeader(f.bytes)
		if err != nil {
			return err
		}
		o.Headers = append(o.Headers, h)
	}
	return f.err
}
