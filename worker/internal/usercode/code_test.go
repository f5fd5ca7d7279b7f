package usercode_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

func of(p worker.Processor) (*usercode.Code, error) {
	return usercode.Of[worker.Record, worker.Outputs, worker.Outcome](p)
}

// complete is a BatchProcessor with both hooks.
type complete struct {
	size     int
	outcomes []worker.Outcome
}

func (c *complete) BatchSize() int                   { return c.size }
func (c *complete) Sequence(rec *worker.Record) bool { return len(rec.Value) > 0 }
func (c *complete) Observe(o *worker.Outcome)        { c.outcomes = append(c.outcomes, *o) }

func (c *complete) ProcessBatch(_ context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	for i, rec := range recs {
		value, _ := rec.Header("h")
		out[i].Emit(worker.Output{Key: rec.Key, Value: value, Topic: fmt.Sprint(len(recs))})
	}
	return nil
}

// TestHooksAreFoundThroughBatch: worker.Batch wraps the value that has them.
func TestHooksAreFoundThroughBatch(t *testing.T) {
	user := &complete{size: usercode.MaxBatch + 1}
	c, err := of(worker.Batch(user))
	if err != nil {
		t.Fatal(err)
	}
	if !c.InBatches() || !c.HasSequencer() || !c.HasObserver() || c.BatchSize() != usercode.MaxBatch {
		t.Fatalf("found batches %v of %d, a Sequencer %v, an OutcomeObserver %v; want all, and batches of %d",
			c.InBatches(), c.BatchSize(), c.HasSequencer(), c.HasObserver(), usercode.MaxBatch)
	}
	rec := &record.Record{Key: []byte("k"), Headers: []record.Header{{Key: "h", Value: []byte("v")}}}
	if keep, err := c.Sequence(rec); keep || err != nil {
		t.Errorf("Sequence keeps an empty record: %v, %v", keep, err)
	}
	outs := []*record.Outputs{{}, {}}
	if err := c.ProcessBatch(t.Context(), []*record.Record{rec, rec}, outs); err != nil {
		t.Fatal(err)
	}
	for _, out := range outs {
		if list := out.List(); len(list) != 1 || string(list[0].Key) != "k" || string(list[0].Value) != "v" || list[0].Topic != "2" {
			t.Errorf("outputs are %+v", list)
		}
	}
	outcome := record.Outcome{
		Input: record.Position{Topic: "in", Partition: 1, Offset: 2}, Fate: record.DeadLettered,
		Outputs: []record.Position{{Topic: "dlq", Offset: 3}}, Err: errors.New("reason"),
	}
	if err := c.Observe(&outcome); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(user.outcomes), fmt.Sprint([]record.Outcome{outcome}); got != want {
		t.Errorf("observed %s, want %s", got, want)
	}
}

// TestAPlainProcessorHasNoHooks: the engine then spares the calls.
func TestAPlainProcessorHasNoHooks(t *testing.T) {
	c, err := of(worker.Map(func(context.Context, *worker.Record) ([]byte, error) { return nil, nil }))
	if err != nil {
		t.Fatal(err)
	}
	if c.InBatches() || c.HasSequencer() || c.HasObserver() || c.BatchSize() != 1 {
		t.Errorf("found batches %v of %d, a Sequencer %v, an OutcomeObserver %v; want none",
			c.InBatches(), c.BatchSize(), c.HasSequencer(), c.HasObserver())
	}
}

// panicking panics in each of its methods.
type panicking struct{}

func (panicking) Process(context.Context, *worker.Record, *worker.Outputs) error { panic("in Process") }

func (panicking) Sequence(*worker.Record) bool { panic("in Sequence") }

func (panicking) Observe(*worker.Outcome) { panic("in Observe") }

// TestPanicsAreErrors: each call of the user's code runs on the engine's goroutines,
// where a panic would end the process.
func TestPanicsAreErrors(t *testing.T) {
	c, err := of(panicking{})
	if err != nil {
		t.Fatal(err)
	}
	_, inSequence := c.Sequence(&record.Record{})
	for value, err := range map[string]error{
		"in Process":  c.Process(t.Context(), &record.Record{}, &record.Outputs{}),
		"in Sequence": inSequence,
		"in Observe":  c.Observe(&record.Outcome{}),
	} {
		var p *usercode.PanicError
		if !errors.As(err, &p) || p.Value != value || len(p.Stack) == 0 {
			t.Errorf("the error of a panic %q is %v", value, err)
		}
	}
}

// copies emits each record's value.
type copies struct{}

func (copies) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	out.EmitValue(rec.Value)
	return nil
}

// TestACallAllocatesNothing: it happens for each record.
func TestACallAllocatesNothing(t *testing.T) {
	single, err := of(copies{})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := of(worker.Batch(&complete{size: 2}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, rec, out := t.Context(), &record.Record{Value: []byte("v")}, &record.Outputs{}
	recs, outs := []*record.Record{rec}, []*record.Outputs{out}
	if n := testing.AllocsPerRun(100, func() {
		out.Reset()
		_ = single.Process(ctx, rec, out)
	}); n > 0 {
		t.Errorf("Process allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		out.Reset()
		_ = batch.ProcessBatch(ctx, recs, outs)
	}); n > 1 { // the user's fmt.Sprint
		t.Errorf("ProcessBatch allocates %v times", n)
	}
}

// BenchmarkProcess compares a call through Code with the user's method alone.
func BenchmarkProcess(b *testing.B) {
	ctx, rec, out := b.Context(), &record.Record{Value: []byte("v")}, &record.Outputs{}
	b.Run("direct", func(b *testing.B) {
		var p worker.Processor = copies{}
		for b.Loop() {
			out.Reset()
			_ = p.Process(ctx, usercode.As[worker.Record](rec), usercode.As[worker.Outputs](out))
		}
	})
	b.Run("code", func(b *testing.B) {
		c, err := of(copies{})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			out.Reset()
			_ = c.Process(ctx, rec, out)
		}
	})
}

// limited has all limits of a batch.
type limited struct {
	complete
	bytes  int
	linger time.Duration
}

func (l *limited) BatchBytes() int            { return l.bytes }
func (l *limited) BatchLinger() time.Duration { return l.linger }

// TestLimitsOfBatches: they are kept within what a worker can do.
func TestLimitsOfBatches(t *testing.T) {
	for _, c := range []struct {
		user worker.BatchProcessor
		want usercode.BatchLimits
	}{
		{&complete{size: 5}, usercode.BatchLimits{Records: 5}},
		{&complete{size: -1}, usercode.BatchLimits{Records: 1}},
		{&limited{complete{size: 500}, 1 << 20, time.Second}, usercode.BatchLimits{Records: 500, Bytes: 1 << 20, Linger: time.Second}},
		{&limited{complete{size: 500}, -1, -1}, usercode.BatchLimits{Records: 500}},
		{&limited{complete{size: 500}, 1, time.Hour}, usercode.BatchLimits{Records: 500, Bytes: 1, Linger: usercode.MaxLinger}},
	} {
		code, err := of(worker.Batch(c.user))
		if err != nil {
			t.Fatal(err)
		}
		if got := code.BatchLimits(); got != c.want {
			t.Errorf("the limits are %+v, want %+v", got, c.want)
		}
	}
}
