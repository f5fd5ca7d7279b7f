package frame

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-dev/millrace/worker"
)

// AppendProcessHello appends a frame with a ProcessHello.
func AppendProcessHello(b []byte, h *ProcessHello) []byte {
	var m []byte
	m = appendNumber(m, 1, uint64(h.MinVersion))
	m = appendNumber(m, 2, uint64(h.MaxVersion))
	m = appendText(m, 4, h.SDK)
	m = appendNumber(m, 5, uint64(h.PID))
	m = appendNumber(m, 6, uint64(h.MaxRecords))
	m = appendNumber(m, 7, h.MaxBytes)
	m = appendNumber(m, 8, uint64(h.LingerMillis))
	m = appendNumber(m, 9, uint64(h.BatchCredit))
	m = appendNumber(m, 10, h.MaxFrameBytes)
	return appendMessage(b, Hello, m)
}

// AppendBatchCredit appends a frame with a BatchCredit.
func AppendBatchCredit(b []byte, batches uint64) []byte {
	return appendOne(b, protowire.Number(Credit), batches)
}

// AppendPong appends a frame with a Pong.
func AppendPong(b []byte, id uint64) []byte { return appendOne(b, protowire.Number(Pong), id) }

// AppendDrained appends a frame with a Drained.
func AppendDrained(b []byte) []byte { return appendOne(b, protowire.Number(Drained), 0) }

// AppendProcessClose is AppendClose for a process.
func AppendProcessClose(b []byte, reason string) []byte {
	return appendMessage(b, Close, appendText(nil, 1, readable(reason)))
}

func appendMessage(b []byte, kind Kind, message []byte) []byte {
	start := len(b)
	b = protowire.AppendTag(begin(b), protowire.Number(kind), protowire.BytesType)
	return end(protowire.AppendBytes(b, message), start)
}

// ProcessOutput is one output of a record, as a process sends it. A nil key or value is null,
// unless it is the record's.
type ProcessOutput struct {
	Value, Key                      []byte
	Headers                         []worker.Header
	Topic                           string
	Timestamp                       time.Time // zero is the record's
	SameKey, SameValue, SameHeaders bool
}

// Answer collects the results of a batch, in memory that it reuses.
type Answer struct {
	body, result, output []byte
}

// Begin begins the results of a batch.
func (a *Answer) Begin(batch uint64) { a.body = appendNumber(a.body[:0], 1, batch) }

// Outputs adds the result of the record at a place in the batch.
func (a *Answer) Outputs(place int, outputs []ProcessOutput) {
	a.result = appendNumber(a.result[:0], 1, uint64(place))
	for i := range outputs {
		a.output = appendOutput(a.output[:0], &outputs[i])
		a.result = appendPart(a.result, 2, a.output)
	}
	a.body = appendPart(a.body, 2, a.result)
}

// Fail adds the failure of the record at a place in the batch.
func (a *Answer) Fail(place int, f *Failure) {
	a.result = appendNumber(a.result[:0], 1, uint64(place))
	a.result = appendPart(a.result, 3, appendFailure(nil, f))
	a.body = appendPart(a.body, 2, a.result)
}

// FailAll replaces the results by a failure of the whole batch.
func (a *Answer) FailAll(batch uint64, f *Failure) {
	a.Begin(batch)
	a.body = appendPart(a.body, 3, appendFailure(nil, f))
}

// Size returns the bytes of the message that Append appends, without its prefix.
func (a *Answer) Size() int { return sizeOfBytes(len(a.body)) }

// Append appends a frame with the results.
func (a *Answer) Append(b []byte) []byte { return appendMessage(b, Results, a.body) }

func appendPart(b []byte, num protowire.Number, part []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), part)
}

func appendFailure(b []byte, f *Failure) []byte {
	b = appendNumber(b, 1, uint64(f.Kind))
	b = appendText(b, 2, f.Message)
	b = appendText(b, 3, f.Detail)
	b = appendNumber(b, 4, uint64(f.RetryAfterMillis))
	return appendText(b, 5, f.DeadLetterTopic)
}

func appendOutput(b []byte, o *ProcessOutput) []byte {
	b = appendNullable(b, 1, o.Value)
	b = appendNullable(b, 2, o.Key)
	for i := range o.Headers {
		h := appendNullable(appendText(nil, 1, o.Headers[i].Key), 2, o.Headers[i].Value)
		b = appendPart(b, 3, h)
	}
	b = appendText(b, 4, o.Topic)
	if !o.Timestamp.IsZero() {
		b = protowire.AppendVarint(protowire.AppendTag(b, 5, protowire.VarintType), uint64(o.Timestamp.UnixMilli()))
	}
	b = appendNumber(b, 6, protowire.EncodeBool(o.SameKey))
	b = appendNumber(b, 7, protowire.EncodeBool(o.SameValue))
	return appendNumber(b, 8, protowire.EncodeBool(o.SameHeaders))
}
