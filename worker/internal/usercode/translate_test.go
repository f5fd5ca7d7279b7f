package usercode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// brackets is a Translator: values in Kafka are in brackets. "away" can't be translated for
// the moment, and a value without brackets never.
type brackets struct{}

func (brackets) AppendInput(_ context.Context, dst, value []byte) ([]byte, error) {
	inner, ok := bytes.CutPrefix(value, []byte("["))
	switch {
	case string(value) == "away":
		return dst, failure.Untried(errors.New("the brackets are away"))
	case !ok:
		return dst, failure.Permanent(fmt.Errorf("%q has no brackets", value))
	}
	return append(dst, bytes.TrimSuffix(inner, []byte("]"))...), nil
}

func (brackets) AppendOutput(_ context.Context, dst []byte, topic string, value []byte) ([]byte, error) {
	if string(value) == "unfit" {
		return dst, failure.Permanent(errors.New("it does not fit"))
	}
	return append(append(append(dst, topic+"["...), value...), ']'), nil
}

func values(out *record.Outputs) string {
	var all []string
	for _, o := range out.List() {
		all = append(all, string(o.Value))
	}
	return fmt.Sprintf("%q", all)
}

// TestTranslate: the code and Kafka each have values in their form, and null is null.
func TestTranslate(t *testing.T) {
	c, err := of(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		if rec.Value == nil {
			return []worker.Output{{}}, nil
		}
		return []worker.Output{{Value: rec.Value}, {Value: append([]byte("more "), rec.Value...), Topic: "t"}}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	c.Translate(brackets{})
	original := []byte("[a]")
	for _, step := range []struct {
		value []byte
		want  string
	}{{original, `["[a]" "t[more a]"]`}, {[]byte("[]"), `["[]" "t[more ]"]`}, {nil, `[""]`}} {
		out := &record.Outputs{}
		if err := c.Process(t.Context(), &record.Record{Value: step.value}, out); err != nil || values(out) != step.want {
			t.Errorf("%q becomes %s (%v), want %s", step.value, values(out), err, step.want)
		}
		if step.value == nil && out.List()[0].Value != nil {
			t.Error("a tombstone is no tombstone any more")
		}
	}
	if string(original) != "[a]" {
		t.Errorf("the record has changed to %q", original)
	}
}

// TestValuesThatCanNotBeTranslated fail their record and no other, and the code does not get
// them.
func TestValuesThatCanNotBeTranslated(t *testing.T) {
	var got []string
	code := &oneByOne{process: func(rec *worker.Record, out *worker.Outputs) {
		got = append(got, string(rec.Value))
		out.EmitValue(rec.Value)
	}}
	c, err := of(worker.Batch(code))
	if err != nil {
		t.Fatal(err)
	}
	c.Translate(brackets{})
	recs, outs := recordsOf("[a]", "bad", "[unfit]", "[b]")
	if err := c.ProcessBatch(t.Context(), recs, outs); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[a unfit b]" {
		t.Errorf("the code got %q", got)
	}
	for i, fails := range []bool{false, true, true, false} {
		if err := outs[i].Err(); failure.IsPermanent(err) != fails {
			t.Errorf("the error of record %d is %v", i, err)
		}
	}
	if values(outs[3]) != `["[b]"]` {
		t.Errorf("the last record becomes %s", values(outs[3]))
	}
	recs, outs = recordsOf("bad")
	if err := c.ProcessBatch(t.Context(), recs, outs); err != nil || !failure.IsPermanent(outs[0].Err()) || len(got) != 3 {
		t.Errorf("a batch without a readable record: %v, %v, the code got %q", err, outs[0].Err(), got)
	}
}

// TestATranslatorThatIsAway is one for the whole call, which is not an attempt.
func TestATranslatorThatIsAway(t *testing.T) {
	code := &oneByOne{process: func(*worker.Record, *worker.Outputs) { t.Error("the code was called") }}
	c, err := of(worker.Batch(code))
	if err != nil {
		t.Fatal(err)
	}
	c.Translate(brackets{})
	recs, outs := recordsOf("[a]", "away")
	if err := c.ProcessBatch(t.Context(), recs, outs); !failure.IsUntried(err) {
		t.Errorf("the call's error is %v", err)
	}
	if err := c.Process(t.Context(), recs[1], outs[1]); !failure.IsUntried(err) {
		t.Errorf("the error is %v", err)
	}
}

// oneByOne is a BatchProcessor that works on one record after another.
// waiting is a Translator that never has an answer before its context ends.
type waiting struct{ brackets }

func (waiting) AppendOutput(ctx context.Context, dst []byte, _ string, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return dst, failure.Untried(errors.New("the brackets have not answered yet"))
}

// TestCodeThatOverrunsBeforeItsResultsAreTranslated has begun, and is charged.
func TestCodeThatOverrunsBeforeItsResultsAreTranslated(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	single, err := of(worker.Func(func(ctx context.Context, rec *worker.Record) ([]worker.Output, error) {
		<-ctx.Done()
		return []worker.Output{{Value: rec.Value}}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := of(worker.Batch(&oneByOne{process: func(rec *worker.Record, out *worker.Outputs) {
		<-ctx.Done()
		out.EmitValue(rec.Value)
	}}))
	if err != nil {
		t.Fatal(err)
	}
	single.Translate(waiting{})
	batch.Translate(waiting{})
	recs, outs := recordsOf("[a]", "[b]")
	for name, err := range map[string]error{
		"one record": single.Process(ctx, recs[0], outs[0]), "a batch": batch.ProcessBatch(ctx, recs, outs),
	} {
		if !errors.Is(err, context.DeadlineExceeded) || failure.IsUntried(err) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

type oneByOne struct {
	process func(*worker.Record, *worker.Outputs)
}

func (c *oneByOne) BatchSize() int { return 10 }

func (c *oneByOne) ProcessBatch(_ context.Context, recs []*worker.Record, outs []*worker.Outputs) error {
	for i, rec := range recs {
		c.process(rec, outs[i])
	}
	return nil
}

func recordsOf(values ...string) (recs []*record.Record, outs []*record.Outputs) {
	for _, value := range values {
		recs, outs = append(recs, &record.Record{Value: []byte(value)}), append(outs, &record.Outputs{})
	}
	return recs, outs
}

// TestTranslationsAllocateLittle: the memory of a call is used again.
func TestTranslationsAllocateLittle(t *testing.T) {
	c, err := of(worker.Func(func(context.Context, *worker.Record) ([]worker.Output, error) { return nil, nil }))
	if err != nil {
		t.Fatal(err)
	}
	c.Translate(brackets{})
	rec, out := &record.Record{Value: []byte("[a]")}, &record.Outputs{}
	if n := testing.AllocsPerRun(1000, func() {
		out.Reset()
		if err := c.Process(t.Context(), rec, out); err != nil {
			t.Fatal(err)
		}
	}); n > 2 {
		t.Errorf("a call takes %v allocations, want 2 at most", n)
	}
}
