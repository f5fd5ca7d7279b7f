package engine_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// panicsInObserve copies two of three records, filters a third of the others in
// its Sequencer and the rest in Process, and panics on every outcome.
type panicsInObserve struct{}

func (panicsInObserve) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	if v, _ := strconv.Atoi(string(rec.Value)); v%3 > 0 {
		out.EmitValue(rec.Value)
	}
	return nil
}

func (panicsInObserve) Sequence(rec *worker.Record) bool {
	v, _ := strconv.Atoi(string(rec.Value))
	return v%9 > 0
}

func (panicsInObserve) Observe(o *worker.Outcome) {
	panic("the observer can't take " + o.Fate.String())
}

// TestAPanicInObserveChangesNothing: a record is settled before its outcome is
// shown, so a panic of the observer neither ends the process nor fails the record.
func TestAPanicInObserveChangesNothing(t *testing.T) {
	r, _ := fakeRig(t, 2)
	const n = 180
	r.produce(0, n, 10)
	w := r.start(panicsInObserve{})
	r.awaitSettled(w)
	w.drain()
	out := r.values("out")
	for v := range n {
		if want := min(v%3, 1); out[strconv.Itoa(v)] != want {
			t.Errorf("record %d was written %d times, want %d", v, out[strconv.Itoa(v)], want)
		}
	}
	if letters := r.values("dlq"); len(letters) > 0 {
		t.Errorf("%d settled records are dead letters", len(letters))
	}
	if panics := w.metrics.ObserverPanics.Value(); panics != n {
		t.Errorf("%d panics are counted, want %d", panics, n)
	}
	const message = "the processor's Observe panicked; the record is settled all the same, correct the processor"
	if written, omitted := told(t, w.log, message); written+omitted != n || written > 50 {
		t.Errorf("%d lines of panics and %d left out, want few and %d together", written, omitted, n)
	}
	if stacks := w.log.lines("stack="); len(stacks) != 1 || !strings.Contains(stacks[0], "panicsInObserve.Observe") {
		t.Errorf("%d stacks, want that of the observer once", len(stacks))
	}
}

// detailed is an error whose methods panic on the nil pointer that is often
// returned in place of a nil error.
type detailed struct{ text string }

func (d *detailed) Error() string { return d.text }

// TestAnErrorThatPanicsIsAFailedAttempt: goroutines of the engine call the error's
// methods when they log, show and dead-letter the record.
func TestAnErrorThatPanicsIsAFailedAttempt(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 20, 10)
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		var none *detailed
		if string(rec.Value) == "7" {
			return nil, none
		}
		return rec.Value, nil
	}))
	r.awaitSettled(w)
	w.drain()
	letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 1 || string(letters[0].Value) != "7" {
		t.Fatalf("%d dead letters, want that of record 7", len(letters))
	}
	if text := headers(letters[0])[failure.HeaderError]; !strings.Contains(text, "*engine_test.detailed") {
		t.Errorf("the letter's error is %q, which does not name the error's type", text)
	}
	if out := r.values("out"); len(out) != 19 {
		t.Errorf("%d records were written, want 19", len(out))
	}
}

// hooked is a processor whose hooks are looked for in user.
type hooked struct {
	worker.Processor
	user func() any
}

func (h hooked) Unwrap() any { return h.user() }

type sizeless struct{ worker.BatchProcessor }

func (sizeless) BatchSize() int { panic("no size yet") }

// TestAProcessorThatCannotStartIsAnError: no record has been read, so none is failed.
func TestAProcessorThatCannotStartIsAnError(t *testing.T) {
	r, _ := fakeRig(t, 1)
	for _, tc := range []struct {
		name string
		p    worker.Processor
		want string
	}{
		{"nil", nil, "processor is nil"},
		{"nil batch", hooked{identity, func() any { return nil }}, "wraps nil"},
		{"Unwrap panics", hooked{identity, func() any { panic("not wrapped") }}, "not wrapped"},
		{"BatchSize panics", hooked{identity, func() any { return sizeless{} }}, "no size yet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := r.start(tc.p).wait(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Run = %v, want %q", err, tc.want)
			}
		})
	}
}
