package workertest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workertest"
)

func ExampleRun() {
	upper := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		return bytes.ToUpper(rec.Value), nil
	})
	results := workertest.Run(context.Background(), upper, worker.Record{Key: []byte("k"), Value: []byte("hello")})
	fmt.Println(workertest.Values(results), string(results[0].Outputs[0].Key))
	// Output: [HELLO] k
}

// windowed drops records that its Sequencer has seen before, and works on
// batches of two.
type windowed struct {
	seen  map[string]bool
	sizes []int
}

func (w *windowed) BatchSize() int { return 2 }

func (w *windowed) Sequence(rec *worker.Record) bool {
	v := string(rec.Value)
	fresh := !w.seen[v]
	w.seen[v] = true
	return fresh
}

func (w *windowed) ProcessBatch(_ context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	w.sizes = append(w.sizes, len(recs))
	for i, rec := range recs {
		if string(rec.Value) == "bad" {
			out[i].Fail(errors.New("bad value"))
			continue
		}
		out[i].EmitValue(rec.Value)
	}
	return nil
}

func TestBatchesHooksAndSingleFailures(t *testing.T) {
	w := &windowed{seen: map[string]bool{}}
	var records []worker.Record
	for _, v := range []string{"a", "a", "bad", "b"} {
		records = append(records, worker.Record{Value: []byte(v)})
	}
	results := workertest.Run(context.Background(), worker.Batch(w), records...)
	if got := fmt.Sprint(workertest.Values(results)); got != "[a b]" {
		t.Errorf("values = %s", got)
	}
	if !results[1].Filtered() || results[2].Err == nil || results[2].Filtered() {
		t.Errorf("results = %+v", results)
	}
	if fmt.Sprint(w.sizes) != "[2 1]" {
		t.Errorf("batch sizes = %v", w.sizes)
	}
}

func TestPanicsAndTombstones(t *testing.T) {
	p := worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		if rec.Value == nil {
			panic("no value")
		}
		return []worker.Output{{NullKey: true}}, nil
	})
	results := workertest.Run(context.Background(), p, worker.Record{}, worker.Record{Key: []byte("k"), Value: []byte{}})
	if results[0].Err == nil {
		t.Error("a panic is not reported")
	}
	if o := results[1].Outputs[0]; o.Key != nil || o.Value != nil {
		t.Errorf("output = %+v, want null key and value", o)
	}
}

// TestOutputsKeepTheTraceContext: new headers replace the record's, but a trace goes on,
// as in a worker.
func TestOutputsKeepTheTraceContext(t *testing.T) {
	p := worker.Func(func(context.Context, *worker.Record) ([]worker.Output, error) {
		return []worker.Output{{Headers: []worker.Header{{Key: "new"}}}}, nil
	})
	results := workertest.Run(t.Context(), p, worker.Record{Headers: []worker.Header{
		{Key: "old"}, {Key: "traceparent", Value: []byte("00-1-2-01")}, {Key: "tracestate"},
	}})
	var names []string
	for _, h := range results[0].Outputs[0].Headers {
		names = append(names, h.Key)
	}
	if fmt.Sprint(names) != "[new traceparent tracestate]" {
		t.Errorf("the output has the headers %q", names)
	}
}

// TestAProcessorThatCannotStart: a worker would not start, so each record has the error.
func TestAProcessorThatCannotStart(t *testing.T) {
	results := workertest.Run(t.Context(), nil, worker.Record{}, worker.Record{})
	if len(results) != 2 || results[0].Err == nil || results[1].Err == nil {
		t.Errorf("results = %+v, want an error for each record", results)
	}
}
