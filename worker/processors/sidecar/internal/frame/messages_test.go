package frame_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// vector is one frame of the protocol's vectors.
type vector struct {
	Name, From, Hex string
	Message         json.RawMessage
}

func (v vector) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	content, err := os.ReadFile("../../../../sdks/protocol/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(content, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func headersOf(from []protocoltest.Header) []worker.Header {
	var headers []worker.Header
	for _, h := range from {
		headers = append(headers, worker.Header{Key: string(h.Name), Value: h.Value})
	}
	return headers
}

func batchOf(b *protocoltest.Batch) *frame.Batch {
	batch := &frame.Batch{ID: b.ID, Topic: b.Topic, TimeoutMillis: b.TimeoutMs}
	for _, r := range b.Records {
		rec := &worker.Record{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: headersOf(r.Headers)}
		if r.TimestampMs != nil {
			rec.Timestamp = time.UnixMilli(*r.TimestampMs)
		}
		batch.Records, batch.Attempts = append(batch.Records, rec), append(batch.Attempts, r.Attempt)
	}
	return batch
}

// outputOf returns the output that a worker makes of o, for the input record rec.
func outputOf(o *protocoltest.Output, rec *worker.Record) worker.Output {
	out := worker.Output{Value: o.Value, Key: o.Key, NullKey: o.Key == nil && !o.SameKey, Topic: o.Topic}
	if o.SameValue {
		out.Value = rec.Value
	}
	if o.TimestampMs != nil {
		out.Timestamp = time.UnixMilli(*o.TimestampMs)
	}
	if !o.SameHeaders {
		out.Headers = append([]worker.Header{}, headersOf(o.Headers)...)
	} else if len(o.Headers) > 0 {
		out.Headers = append(append([]worker.Header{}, rec.Headers...), headersOf(o.Headers)...)
	}
	return out
}

func failureOf(f *protocoltest.Failure) *frame.Failure {
	if f == nil {
		return nil
	}
	kinds := map[string]frame.FailureKind{"": frame.Retry, "PERMANENT": frame.Permanent, "DROP": frame.Drop, "DEAD_LETTER": frame.DeadLetter}
	return &frame.Failure{
		Kind: kinds[f.Kind], Message: f.Message, Detail: f.Detail,
		RetryAfterMillis: f.RetryAfterMs, DeadLetterTopic: f.DeadLetterTopic,
	}
}

// emitted returns the outputs that a result emits.
func emitted(r *frame.Result, rec *worker.Record) ([]record.Output, error) {
	var out worker.Outputs
	err := r.Emit(rec, &out)
	return usercode.As[record.Outputs](&out).List(), err
}
