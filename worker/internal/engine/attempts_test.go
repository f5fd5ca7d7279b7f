package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// counting fails all attempts of the record "bad" and the first two of "late", and notes the
// numbers of the attempts.
type counting struct {
	mu   sync.Mutex
	seen map[string][]int // by value; guarded by mu
}

func (c *counting) note(ctx context.Context, rec *worker.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, attempt := string(rec.Value), worker.Attempt(ctx, rec)
	c.seen[value] = append(c.seen[value], attempt)
	if value == "bad" || value == "late" && attempt < 3 {
		return errPoison
	}
	return nil
}

func (c *counting) Process(ctx context.Context, rec *worker.Record, out *worker.Outputs) error {
	if err := c.note(ctx, rec); err != nil {
		return err
	}
	out.EmitValue(rec.Value)
	return nil
}

func (c *counting) BatchSize() int { return 4 }

func (c *counting) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	for i, rec := range recs {
		if err := c.note(ctx, rec); err != nil {
			out[i].Fail(err)
			continue
		}
		out[i].EmitValue(rec.Value)
	}
	return nil
}

// TestAttemptsAreNumbered: the user's code knows which attempt it makes, alone and in a
// batch.
func TestAttemptsAreNumbered(t *testing.T) {
	for _, batches := range []bool{false, true} {
		t.Run(fmt.Sprintf("batches %v", batches), func(t *testing.T) {
			r, _ := fakeRig(t, 1)
			var records []*kgo.Record
			for _, v := range []string{"good", "bad", "late"} {
				records = append(records, &kgo.Record{Topic: "in", Value: []byte(v)})
			}
			r.cluster.Produce(records...)
			c := &counting{seen: map[string][]int{}}
			var p worker.Processor = c
			if batches {
				p = worker.Batch(c)
			}
			w := r.start(p)
			r.awaitSettled(w)
			w.drain()
			want := map[string][]int{"good": {1}, "bad": {1, 2, 3}, "late": {1, 2, 3}}
			if got := fmt.Sprint(c.seen); got != fmt.Sprint(want) {
				t.Errorf("the attempts are %s, want %v", got, want)
			}
			if out := r.values("out"); !maps.Equal(out, map[string]int{"good": 1, "late": 1}) {
				t.Errorf("the results are %v", out)
			}
		})
	}
}

// TestWhatErrorsSay: a record is dropped, or waits for as long as its error says.
func TestWhatErrorsSay(t *testing.T) {
	r, _ := fakeRig(t, 1)
	const pause = 400 * time.Millisecond
	var tried, triedAgain time.Time
	w := r.start(worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
		switch {
		case string(rec.Value) == "0":
			return nil, worker.Drop(errPoison)
		case string(rec.Value) != "1":
		case worker.Attempt(ctx, rec) == 1:
			tried = time.Now()
			return nil, worker.RetryAfter(errPoison, pause)
		default:
			triedAgain = time.Now()
		}
		return rec.Value, nil
	}))
	r.produce(0, 3, 3)
	r.awaitSettled(w)
	w.drain()
	if out := r.values("out"); !maps.Equal(out, map[string]int{"1": 1, "2": 1}) {
		t.Errorf("the results are %v", out)
	}
	if letters := r.values("dlq"); len(letters) > 0 || w.metrics.RecordsDropped.Value() != 1 {
		t.Errorf("%v are dead letters, %d records are dropped", letters, w.metrics.RecordsDropped.Value())
	}
	if waited := triedAgain.Sub(tried); waited < pause {
		t.Errorf("the next attempt came after %s, want %s at least", waited, pause)
	}
}

// TestADeadLetterWithATopicOfItsOwn: the error of a record names it. If there is no such
// topic, the record's partition waits, and the others go on.
func TestADeadLetterWithATopicOfItsOwn(t *testing.T) {
	for _, delivery := range []config.Delivery{config.AtLeastOnce, config.ExactlyOnce} {
		t.Run(string(delivery), func(t *testing.T) {
			r, _ := fakeRig(t, 2)
			if delivery == config.ExactlyOnce {
				r.exact()
			}
			r.cfg.Failure.OnExhausted = config.Drop
			r.cluster.CreateTopic("invalid", 1, nil)
			r.produce(0, 20, 2)
			w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
				switch string(rec.Value) {
				case "4":
					return nil, worker.DeadLetter(errPoison, "invalid")
				case "20":
					return nil, worker.DeadLetter(errPoison, "missing")
				}
				return rec.Value, nil
			}))
			r.awaitSettled(w)
			if letters := r.committed("invalid"); !maps.Equal(letters, map[string]int{"4": 1}) {
				t.Errorf("the topic has %v", letters)
			}
			r.produce(20, 20, 2)
			r.eventually("one partition is halted", func() bool { return inState(w, "halted") == 1 })
			r.eventually("the other one goes on", func() bool { return len(r.values("out")) >= 29 })
			if lines := w.log.lines("missing"); len(lines) == 0 || !strings.Contains(strings.Join(lines, ""), "dead-letter topic") {
				t.Errorf("the log has %q", lines)
			}
			if letters := r.values("dlq"); len(letters) > 0 {
				t.Errorf("the other topic has %v", letters)
			}
		})
	}
}

// TestDeadlineOfAnAttempt: the context says when the attempt's time is over, and it is over
// then.
func TestDeadlineOfAnAttempt(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.cfg.Failure.Timeout, r.cfg.Failure.MaxAttempts = duration(500*time.Millisecond), 1
	var wrong []error
	w := r.start(worker.Map(func(ctx context.Context, _ *worker.Record) ([]byte, error) {
		early, ok := ctx.Deadline()
		if left := time.Until(early); !ok || left <= 0 || left > 500*time.Millisecond {
			wrong = append(wrong, fmt.Errorf("the deadline is %v, in %s", ok, left))
		}
		<-ctx.Done()
		if late := time.Since(early); late < 0 {
			wrong = append(wrong, fmt.Errorf("the context ended %s before its deadline", -late))
		}
		return nil, ctx.Err()
	}), func(c *config.Config) { c.Concurrency = 1 })
	r.produce(0, 1, 1)
	r.awaitSettled(w)
	w.drain()
	if err := errors.Join(wrong...); err != nil {
		t.Error(err)
	}
	letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 1 || headers(letters[0])[failure.HeaderAttempts] != "1" {
		t.Errorf("%d dead letters", len(letters))
	}
}
