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

// keeping keeps its records, which it must not.
type keeping struct{ kept []*worker.Record }

func (k *keeping) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	for _, earlier := range k.kept {
		if string(earlier.Value) == "first" || string(earlier.Key) == "key" || string(earlier.Headers[0].Value) == "header" {
			return errors.New("an earlier record is still there")
		}
	}
	k.kept = append(k.kept, rec)
	out.Emit(worker.Output{Value: rec.Value, Headers: rec.Headers})
	return nil
}

// TestBytesAreGoneAfterTheCall: as in a worker, which uses the memory for other records. The
// test's own records and the results stay.
func TestBytesAreGoneAfterTheCall(t *testing.T) {
	first := worker.Record{Key: []byte("key"), Value: []byte("first"), Headers: []worker.Header{{Key: "h", Value: []byte("header")}}}
	results := workertest.Run(t.Context(), &keeping{}, first, worker.Record{Value: []byte("second")})
	if err := results[1].Err; err != nil {
		t.Error(err)
	}
	for what, r := range map[string]worker.Output{
		"the result":        results[0].Outputs[0],
		"the test's record": {Key: first.Key, Value: first.Value, Headers: first.Headers},
	} {
		if string(r.Key) != "key" || string(r.Value) != "first" || string(r.Headers[0].Value) != "header" {
			t.Errorf("%s is %+v", what, r)
		}
	}
}

// watching has all hooks, and notes their calls.
type watching struct {
	worker.Processor
	calls []string
}

func (w *watching) note(format string, args ...any) {
	w.calls = append(w.calls, fmt.Sprintf(format, args...))
}

func (w *watching) Sequence(rec *worker.Record) bool {
	w.note("sequence %d/%d", rec.Partition, rec.Offset)
	if string(rec.Value) == "shocking" {
		panic("shocking")
	}
	return string(rec.Value) != "skipped"
}

func (w *watching) Observe(o *worker.Outcome) {
	w.note("%s %d/%d %d", o.Fate, o.Input.Partition, o.Input.Offset, len(o.Outputs))
}

func (w *watching) Assigned(topic string, partition int32, offset int64) {
	w.note("assigned %s/%d at %d", topic, partition, offset)
}

func (w *watching) Revoked(topic string, partition int32, offset int64) {
	w.note("revoked %s/%d at %d", topic, partition, offset)
}

func (w *watching) Lost(string, int32) { w.note("lost") }

// TestHooksAreCalledAsInAWorker: in the order of the data, and only for what happened.
func TestHooksAreCalledAsInAWorker(t *testing.T) {
	w := &watching{Processor: worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		err := errors.New(string(rec.Value))
		switch string(rec.Value) {
		case "worthless":
			return nil, worker.Drop(err)
		case "hopeless":
			return nil, worker.Permanent(err)
		case "elsewhere":
			return nil, worker.DeadLetter(err, "other")
		case "unlucky":
			return nil, err
		}
		return rec.Value, nil
	})}
	var records []worker.Record
	for i, value := range []string{"good", "skipped", "worthless", "hopeless", "unlucky", "shocking", "elsewhere"} {
		records = append(records, worker.Record{Partition: int32(i % 2), Offset: int64(10 + i), Value: []byte(value)})
	}
	workertest.Run(t.Context(), w, records...)
	want := []string{
		"assigned input/0 at 10", "assigned input/1 at 11",
		"sequence 0/10", "sequence 1/11", "filtered 1/11 0", "sequence 0/12", "sequence 1/13", "sequence 0/14", "sequence 1/15",
		"dead-lettered 1/15 0", "sequence 0/16", "delivered 0/10 1", "dropped 0/12 0", "dead-lettered 1/13 0", "dead-lettered 0/16 0",
		"revoked input/0 at 17", "revoked input/1 at 16",
	}
	if fmt.Sprint(w.calls) != fmt.Sprint(want) {
		t.Errorf("the calls are\n%q\nwant\n%q", w.calls, want)
	}
}
