package frame_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestFramesOfAWorker: the encoding of each message is that of the protocol's vectors.
func TestFramesOfAWorker(t *testing.T) {
	for _, v := range readVectors(t) {
		var m protocoltest.WorkerFrame
		if v.From != "worker" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			if err := json.Unmarshal(v.Message, &m); err != nil {
				t.Fatal(err)
			}
			if m.Hello != nil || m.Batch != nil && m.Batch.Records[0].Topic != "" {
				t.Skip("with a field that this worker does not send")
			}
			if got, want := encoded(t, &m), v.bytes(t); !bytes.Equal(got, want) {
				t.Errorf("the frame is\n%x, want\n%x", got, want)
			}
		})
	}
}

func encoded(t *testing.T, m *protocoltest.WorkerFrame) []byte {
	t.Helper()
	switch {
	case m.Batch != nil:
		var e frame.Encoder
		batch := batchOf(m.Batch)
		b := e.Append(nil, batch)
		if size := e.Size(batch); size != len(b)-frame.Prefix {
			t.Errorf("the size is %d, and the message has %d bytes", size, len(b)-frame.Prefix)
		}
		return b
	case m.Credit != nil:
		return frame.AppendCredit(nil, m.Credit.Bytes)
	case m.Ping != nil:
		return frame.AppendPing(nil, m.Ping.ID)
	case m.Drain != nil:
		return frame.AppendDrain(nil)
	default:
		return frame.AppendClose(nil, m.Close.Error)
	}
}

// TestAWorkersHello: the vector has capabilities, which this worker has none of.
func TestAWorkersHello(t *testing.T) {
	got := frame.AppendHello(nil, &frame.WorkerHello{
		Version: 1, Ordering: "Key", Topic: "orders", Group: "group", Processor: "name",
		MaxRecords: 2, MaxBytes: 3, LingerMillis: 4, ByteCredit: 5, MaxFrameBytes: 6,
	})
	want := `{"hello":{"version":1,"ordering":"Key","topic":"orders","group":"group","processor":"name",` +
		`"maxRecords":2,"maxBytes":"3","lingerMs":4,"byteCredit":"5","maxFrameBytes":"6"}}`
	if canonical := encode(t, want); !bytes.Equal(got, canonical) {
		t.Errorf("the frame is\n%x, want\n%x", got, canonical)
	}
}

// TestFramesOfAProcess: each of the protocol's vectors decodes to its message.
func TestFramesOfAProcess(t *testing.T) {
	for _, v := range readVectors(t) {
		if v.From == "process" {
			t.Run(v.Name, func(t *testing.T) { sameMessage(t, v.bytes(t)[frame.Prefix:], v.Message) })
		}
	}
}

// sameMessage fails unless what this package decodes is the message in Protobuf's JSON format.
func sameMessage(t *testing.T, message []byte, want []byte) {
	t.Helper()
	var m protocoltest.ProcessFrame
	if err := json.Unmarshal(want, &m); err != nil {
		t.Fatal(err)
	}
	kind, body, err := frame.Parse(message)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case m.Hello != nil:
		h, err := frame.ParseHello(body)
		w := frame.ProcessHello{
			MinVersion: m.Hello.MinVersion, MaxVersion: m.Hello.MaxVersion, SDK: m.Hello.SDK, PID: m.Hello.PID,
			MaxRecords: m.Hello.MaxRecords, MaxBytes: m.Hello.MaxBytes, LingerMillis: m.Hello.LingerMs,
			BatchCredit: m.Hello.BatchCredit, MaxFrameBytes: m.Hello.MaxFrameBytes,
		}
		if err != nil || kind != frame.Hello || h != w {
			t.Errorf("decoded a message of kind %d, %+v, %v, want %+v", kind, h, err, w)
		}
	case m.Results != nil:
		if kind != frame.Results {
			t.Fatalf("the kind is %d, want results", kind)
		}
		sameResults(t, body, m.Results)
	case m.Credit != nil:
		isNumber(t, kind, frame.Credit, body, uint64(m.Credit.Batches))
	case m.Pong != nil:
		isNumber(t, kind, frame.Pong, body, m.Pong.ID)
	case m.Drained != nil:
		isNumber(t, kind, frame.Drained, nil, 0)
	case m.Close != nil:
		if reason, err := frame.ParseClose(body); err != nil || kind != frame.Close || reason != m.Close.Error {
			t.Errorf("decoded a message of kind %d, %q, %v, want a close with %q", kind, reason, err, m.Close.Error)
		}
	}
}

func isNumber(t *testing.T, kind, wantKind frame.Kind, body []byte, want uint64) {
	t.Helper()
	if got, err := frame.ParseNumber(body); err != nil || kind != wantKind || got != want {
		t.Errorf("decoded a message of kind %d, %d, %v, want one of kind %d, %d", kind, got, err, wantKind, want)
	}
}

// input is the record whose parts outputs take.
var input = &worker.Record{Key: []byte("key"), Value: []byte("value"), Headers: []worker.Header{{Key: "of", Value: []byte("record")}}}

func sameResults(t *testing.T, body []byte, want *protocoltest.Results) {
	t.Helper()
	head, err := frame.ParseResults(body)
	if err != nil {
		t.Fatal(err)
	}
	if head.Batch != want.Batch || head.Count != len(want.Results) || !reflect.DeepEqual(head.Failure, failureOf(want.Failure)) {
		t.Errorf("decoded %+v, want %+v", head, want)
	}
	d := frame.NewDecoder(body)
	for _, w := range want.Results {
		r, ok, err := d.Next()
		if !ok || err != nil {
			t.Fatalf("decoded no further result: %v", err)
		}
		if r.Index != w.Index || !reflect.DeepEqual(r.Failure, failureOf(w.Failure)) {
			t.Errorf("decoded %d, %+v, want %d, %+v", r.Index, r.Failure, w.Index, w.Failure)
		}
		outputs, err := emitted(&r, input)
		if err != nil || len(outputs) != len(w.Outputs) {
			t.Fatalf("decoded the outputs %+v, %v, want %+v", outputs, err, w.Outputs)
		}
		for i := range outputs {
			output := outputOf(&w.Outputs[i], input)
			if !reflect.DeepEqual(outputs[i], *usercode.As[record.Output](&output)) {
				t.Errorf("decoded the output %+v, want %+v", outputs[i], output)
			}
		}
	}
	if r, ok, err := d.Next(); ok || err != nil {
		t.Errorf("decoded one more result %+v, %v", r, err)
	}
}

// TestMistakes: each of them ends a connection, so its reason is for the author of the other
// side.
func TestMistakes(t *testing.T) {
	for want, message := range map[string]string{
		"the results of batch 1 come with a failure of the whole batch": `{"results":{"batch":1,"results":[{}],"failure":{}}}`,
		"the result of record 3 has outputs and a failure":              `{"results":{"batch":1,"results":[{"index":3,"outputs":[{}],"failure":{}}]}}`,
		"a failure is of the unknown kind 9":                            `{"results":{"batch":1,"failure":{"kind":9}}}`,
		"an output sets its key and takes that of the record too":       `{"results":{"batch":1,"results":[{"outputs":[{"key":"","sameKey":true}]}]}}`,
		"an output sets its value and takes that of the record too":     `{"results":{"batch":1,"results":[{"outputs":[{"value":"","sameValue":true}]}]}}`,
		"a frame holds no message that version 1 of the protocol knows": `{}`,
	} {
		if err := decodeAll(encodeProcess(t, message)[frame.Prefix:]); err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	for _, c := range []struct {
		message []byte
		want    string
	}{
		{[]byte{0x12, 0x05, 0x08}, "the message is not Protobuf"},
		{[]byte{0x00}, "the message is not Protobuf"},
		{[]byte{0x32, 0x03, 0x0a, 0x01, 0xff}, "a text in the message is not UTF-8"},
		{[]byte{0x2a, 0x00, 0x2a, 0x00}, "a frame holds two messages"},
		{[]byte{0x12, 0x04, 0x1a, 0x00, 0x1a, 0x00}, "the results of batch 0 have two failures"},
		{[]byte{0x12, 0x06, 0x12, 0x04, 0x1a, 0x00, 0x1a, 0x00}, "the result of record 0 has two failures"},
	} {
		if err := decodeAll(c.message); err == nil || err.Error() != c.want {
			t.Errorf("the error of %x is %v, want %q", c.message, err, c.want)
		}
	}
}

// TestLongTextsAreCut between their runes: a worker keeps them for logs and dead letters.
func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("é", 20_000)
	message := encodeProcess(t, `{"results":{"batch":1,"failure":{"message":"x`+long+`","detail":"`+long+`"}}}`)[frame.Prefix:]
	_, body, err := frame.Parse(message)
	if err != nil {
		t.Fatal(err)
	}
	r, err := frame.ParseResults(body)
	if err != nil || r.Failure.Message != "x"+long[:1022] || r.Failure.Detail != long[:16<<10] {
		t.Errorf("the texts have %d and %d bytes (%v), want 1023 and 16384", len(r.Failure.Message), len(r.Failure.Detail), err)
	}
}

// decodeAll decodes all of a message and returns the first error.
func decodeAll(message []byte) error {
	kind, body, err := frame.Parse(message)
	if err != nil {
		return err
	}
	switch kind {
	case frame.Hello:
		_, err = frame.ParseHello(body)
	case frame.Results:
		return decodeResults(body)
	case frame.Credit, frame.Pong, frame.Drained:
		_, err = frame.ParseNumber(body)
	case frame.Close:
		_, err = frame.ParseClose(body)
	}
	return err
}

func decodeResults(body []byte) error {
	if _, err := frame.ParseResults(body); err != nil {
		return err
	}
	d := frame.NewDecoder(body)
	for {
		r, ok, err := d.Next()
		if !ok || err != nil {
			return err
		}
		if _, err := emitted(&r, input); err != nil {
			return err
		}
	}
}

// records returns a batch of n records of 100 bytes.
func records(n int) *frame.Batch {
	b := &frame.Batch{ID: 7, Topic: "orders", TimeoutMillis: 30_000}
	now := time.Now()
	for i := range n {
		b.Records = append(b.Records, &worker.Record{Partition: 3, Offset: int64(i), Timestamp: now, Key: []byte("key-0042"), Value: bytes.Repeat([]byte("x"), 92)})
		b.Attempts = append(b.Attempts, 1)
	}
	return b
}

// echoes returns the Results of a process that answers each record with its value.
func echoes(t testing.TB, n int) []byte {
	t.Helper()
	var list []any
	for i := range n {
		list = append(list, map[string]any{"index": i, "outputs": []any{map[string]any{"value": bytes.Repeat([]byte("x"), 92), "sameKey": true, "sameHeaders": true}}})
	}
	text, err := json.Marshal(map[string]any{"results": map[string]any{"batch": 7, "results": list}})
	if err != nil {
		t.Fatal(err)
	}
	return encodeProcess(t, string(text))[frame.Prefix:]
}

// TestAppendAfterSize: an Append uses what Size has measured, and the next one does not.
func TestAppendAfterSize(t *testing.T) {
	var e, other frame.Encoder
	first, second := records(3), records(1000)
	want := other.Append(nil, first)
	if size := e.Size(first); size != len(want)-frame.Prefix {
		t.Errorf("the size is %d, want %d", size, len(want)-frame.Prefix)
	}
	for _, batch := range []*frame.Batch{first, second, first} {
		if got := e.Append(nil, batch); !bytes.Equal(got, other.Append(nil, batch)) {
			t.Errorf("a batch of %d records is encoded in another way after Size", len(batch.Records))
		}
	}
}

// TestABatchAllocatesNothing: buffers are reused, and outputs refer to the message.
func TestABatchAllocatesNothing(t *testing.T) {
	batch, answer := records(1000), echoes(t, 1000)
	var e frame.Encoder
	var buf []byte
	outs := make([]worker.Outputs, 1000)
	n := testing.AllocsPerRun(20, func() {
		buf = e.Append(buf[:0], batch)
		decodeInto(t, answer, batch, outs)
	})
	if n > 0 {
		t.Errorf("a batch allocates %v times", n)
	}
}

func decodeInto(t testing.TB, answer []byte, batch *frame.Batch, outs []worker.Outputs) {
	_, body, err := frame.Parse(answer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := frame.ParseResults(body); err != nil {
		t.Fatal(err)
	}
	d := frame.NewDecoder(body)
	for {
		r, ok, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		usercode.As[record.Outputs](&outs[r.Index]).Reset()
		if err := r.Emit(batch.Records[r.Index], &outs[r.Index]); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkBatch measures both directions of a batch of 1,000 records of 100 bytes.
func BenchmarkBatch(b *testing.B) {
	batch, answer := records(1000), echoes(b, 1000)
	outs := make([]worker.Outputs, 1000)
	b.Run("encode", func(b *testing.B) {
		var e frame.Encoder
		var buf []byte
		for b.Loop() {
			buf = e.Append(buf[:0], batch)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			decodeInto(b, answer, batch, outs)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
	})
}
