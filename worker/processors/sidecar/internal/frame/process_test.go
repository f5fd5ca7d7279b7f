package frame_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestFramesToAWorker: what a process encodes has the bytes of the protocol's vectors.
func TestFramesToAWorker(t *testing.T) {
	for _, v := range readVectors(t) {
		var m protocoltest.ProcessFrame
		if v.From != "process" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			if err := json.Unmarshal(v.Message, &m); err != nil {
				t.Fatal(err)
			}
			if v.Name == "a hello with all fields" {
				t.Skip("it has capabilities, which version 1 has none of")
			}
			if got, want := toWorker(&m), v.bytes(t); !bytes.Equal(got, want) {
				t.Errorf("the frame is\n%x, want\n%x", got, want)
			}
		})
	}
}

func toWorker(m *protocoltest.ProcessFrame) []byte {
	switch {
	case m.Hello != nil:
		return frame.AppendProcessHello(nil, &frame.ProcessHello{
			MinVersion: m.Hello.MinVersion, MaxVersion: m.Hello.MaxVersion, SDK: m.Hello.SDK, PID: m.Hello.PID,
			MaxRecords: m.Hello.MaxRecords, MaxBytes: m.Hello.MaxBytes, LingerMillis: m.Hello.LingerMs,
			BatchCredit: m.Hello.BatchCredit, MaxFrameBytes: m.Hello.MaxFrameBytes,
		})
	case m.Results != nil:
		return answerOf(m.Results)
	case m.Credit != nil:
		return frame.AppendBatchCredit(nil, uint64(m.Credit.Batches))
	case m.Pong != nil:
		return frame.AppendPong(nil, m.Pong.ID)
	case m.Drained != nil:
		return frame.AppendDrained(nil)
	default:
		return frame.AppendProcessClose(nil, m.Close.Error)
	}
}

func answerOf(results *protocoltest.Results) []byte {
	var a frame.Answer
	a.Begin(7) // as for an earlier batch
	a.Begin(results.Batch)
	for _, r := range results.Results {
		if r.Failure != nil {
			a.Fail(int(r.Index), failureOf(r.Failure))
			continue
		}
		var outputs []frame.ProcessOutput
		for _, o := range r.Outputs {
			out := frame.ProcessOutput{
				Value: o.Value, Key: o.Key, Headers: headersOf(o.Headers), Topic: o.Topic,
				SameKey: o.SameKey, SameValue: o.SameValue, SameHeaders: o.SameHeaders,
			}
			if o.TimestampMs != nil {
				out.Timestamp = time.UnixMilli(*o.TimestampMs)
			}
			outputs = append(outputs, out)
		}
		a.Outputs(int(r.Index), outputs)
	}
	if results.Failure != nil {
		a.FailAll(results.Batch, failureOf(results.Failure))
	}
	return a.Append(nil)
}

// TestFramesFromAWorker: a process decodes each of the protocol's vectors to its message.
func TestFramesFromAWorker(t *testing.T) {
	for _, v := range readVectors(t) {
		var m protocoltest.WorkerFrame
		if v.From != "worker" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			if err := json.Unmarshal(v.Message, &m); err != nil {
				t.Fatal(err)
			}
			kind, body, err := frame.ParseWorker(v.bytes(t)[frame.Prefix:])
			if err != nil {
				t.Fatal(err)
			}
			isWorkers(t, kind, body, &m)
		})
	}
}

// isWorkers fails unless a message decodes to m.
func isWorkers(t *testing.T, kind frame.WorkerKind, body []byte, m *protocoltest.WorkerFrame) {
	t.Helper()
	number, _ := frame.ParseNumber(body) // of a message that has one
	reason, _ := frame.ParseClose(body)
	ok := false
	switch {
	case m.Hello != nil:
		want := frame.WorkerHello{
			Version: m.Hello.Version, Ordering: m.Hello.Ordering, Topic: m.Hello.Topic, Group: m.Hello.Group, Processor: m.Hello.Processor,
			MaxRecords: m.Hello.MaxRecords, MaxBytes: m.Hello.MaxBytes, LingerMillis: m.Hello.LingerMs,
			ByteCredit: m.Hello.ByteCredit, MaxFrameBytes: m.Hello.MaxFrameBytes,
		}
		got, err := frame.ParseWorkerHello(body)
		ok = err == nil && kind == frame.OfWorkerHello && got == want
	case m.Batch != nil:
		ok = kind == frame.OfWorkerBatch && number == m.Batch.ID
		isReceived(t, body, m.Batch)
	case m.Credit != nil:
		ok = kind == frame.OfWorkerCredit && number == m.Credit.Bytes
	case m.Ping != nil:
		ok = kind == frame.OfWorkerPing && number == m.Ping.ID
	case m.Drain != nil:
		ok = kind == frame.OfWorkerDrain
	case m.Close != nil:
		ok = kind == frame.OfWorkerClose && reason == m.Close.Error
	}
	if !ok {
		t.Errorf("decoded a message of kind %d, %x, want %+v", kind, body, m)
	}
}

func isReceived(t *testing.T, body []byte, m *protocoltest.Batch) {
	t.Helper()
	got := frame.Received{ID: 9, Records: []worker.Record{{Topic: "of an earlier batch"}}}
	if err := frame.ParseBatch(body, &got); err != nil {
		t.Fatal(err)
	}
	want := frame.Received{ID: m.ID, TimeoutMillis: m.TimeoutMs}
	for i, rec := range batchOf(m).Records {
		rec.Topic = m.Topic
		if own := m.Records[i].Topic; own != "" {
			rec.Topic = own
		}
		want.Records = append(want.Records, *rec)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v, want %+v", got, want)
	}
}
