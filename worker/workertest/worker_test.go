package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workertest"
)

func ExampleWorker() {
	flaky := worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
		if worker.Attempt(ctx, rec) < 3 {
			return nil, worker.RetryAfter(errors.New("the service is busy"), time.Minute)
		}
		return rec.Value, nil
	})
	results := workertest.Worker{}.Run(context.Background(), flaky, worker.Record{Value: []byte("hello")})
	fmt.Println(workertest.Values(results), results[0].Attempts, results[0].Waited)
	// Output: [hello] 3 2m0s
}

// values returns records with the values, and keys if a value is like key=value.
func values(all ...string) (records []worker.Record) {
	for _, text := range all {
		r := worker.Record{Value: []byte(text)}
		if key, value, ok := strings.Cut(text, "="); ok {
			r.Key, r.Value = []byte(key), []byte(value)
		}
		records = append(records, r)
	}
	return records
}

// TestAttempts: how many a record gets, by its error.
func TestAttempts(t *testing.T) {
	failing := errors.New("failing")
	for name, c := range map[string]struct {
		err      error
		attempts int
		fate     worker.Fate
		atLeast  time.Duration
	}{
		"none":          {nil, 1, worker.Delivered, 0},
		"an error":      {failing, 4, worker.DeadLettered, (50 + 100 + 200) * time.Millisecond},
		"permanent":     {worker.Permanent(failing), 1, worker.DeadLettered, 0},
		"another topic": {worker.DeadLetter(failing, "other"), 1, worker.DeadLettered, 0},
		"dropped":       {worker.Drop(failing), 1, worker.Dropped, 0},
		"later":         {worker.RetryAfter(failing, time.Hour), 4, worker.DeadLettered, 3 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			o := &observing{Processor: worker.Map(func(context.Context, *worker.Record) ([]byte, error) { return nil, c.err })}
			r := workertest.Worker{MaxAttempts: 4}.Run(t.Context(), o, worker.Record{})[0]
			if r.Attempts != c.attempts || r.Waited < c.atLeast || c.attempts == 1 && r.Waited > 0 || !errors.Is(r.Err, c.err) {
				t.Errorf("got %+v, want %d attempts and a wait of at least %v", r, c.attempts, c.atLeast)
			}
			if want := []worker.Fate{c.fate}; !slices.Equal(o.fates, want) {
				t.Errorf("the fates are %v, want %v", o.fates, want)
			}
		})
	}
}

// observing notes what became of records.
type observing struct {
	worker.Processor
	fates []worker.Fate
}

func (o *observing) Observe(outcome *worker.Outcome) { o.fates = append(o.fates, outcome.Fate) }

// TestDefaultAttempts: they are the manifest's.
func TestDefaultAttempts(t *testing.T) {
	p := worker.Map(func(context.Context, *worker.Record) ([]byte, error) { return nil, errors.New("failing") })
	if r := (workertest.Worker{}).Run(t.Context(), p, worker.Record{})[0]; r.Attempts != 5 {
		t.Errorf("got %d attempts", r.Attempts)
	}
}

// TestEachAttemptHasTheBytes: those of the attempt before are gone, and those of the next
// are there.
func TestEachAttemptHasTheBytes(t *testing.T) {
	var earlier []byte
	p := worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
		if string(rec.Key) != "k" || string(rec.Value) != "v" || string(earlier) == "v" {
			return nil, worker.Permanent(fmt.Errorf("attempt %d has %q and the one before %q", worker.Attempt(ctx, rec), rec.Value, earlier))
		}
		if earlier = rec.Value; worker.Attempt(ctx, rec) == 1 {
			return nil, errors.New("again")
		}
		return rec.Value, nil
	})
	results := workertest.Worker{}.Run(t.Context(), p, values("k=v")...)
	if results[0].Err != nil || string(results[0].Outputs[0].Value) != "v" {
		t.Errorf("got %+v", results[0])
	}
}

// TestCallsAtTheSameTime: as many calls as there are goroutines wait for each other.
func TestCallsAtTheSameTime(t *testing.T) {
	var met sync.WaitGroup
	met.Add(3)
	p := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		met.Done()
		met.Wait()
		return rec.Value, nil
	})
	results := workertest.Worker{Concurrency: 3}.Run(t.Context(), p, values("a", "b", "c")...)
	if got := strings.Join(workertest.Values(results), ""); got != "abc" {
		t.Errorf("got %s", got)
	}
}

// noting notes its calls. Each value fails as often as failures says.
type noting struct {
	size     int
	whole    bool // a failure is the whole call's
	atOnce   bool // the next attempt may begin at once
	failures map[string]int

	mu    sync.Mutex
	calls []string
	seen  map[string]int
}

func (n *noting) BatchSize() int { return n.size }

func (n *noting) ProcessBatch(_ context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var call, failed string
	for i, rec := range recs {
		v := string(rec.Value)
		call += v
		if n.seen == nil {
			n.seen = map[string]int{}
		}
		if n.seen[v]++; n.seen[v] <= n.failures[v] {
			failed = v
			out[i].Fail(errors.New("fails: " + v))
			continue
		}
		out[i].EmitValue(rec.Value)
	}
	n.calls = append(n.calls, call)
	if n.whole && failed != "" {
		err := errors.New("fails because of " + failed)
		if n.atOnce {
			return worker.RetryAfter(err, 0)
		}
		return err
	}
	return nil
}

// TestOrdering: records behind one that waits, in its partition or of its key, wait too. What
// a batch has made of them is thrown away.
func TestOrdering(t *testing.T) {
	for name, c := range map[string]struct {
		ordering config.Ordering
		size     int
		want     []string
	}{
		"unordered":           {config.Unordered, 1, []string{"1", "2", "3", "4", "1"}},
		"by key":              {config.Key, 1, []string{"1", "2", "4", "1", "3"}},
		"by partition":        {config.Partition, 1, []string{"1", "1", "2", "3", "4"}},
		"unordered, batches":  {config.Unordered, 4, []string{"1234", "1"}},
		"by key, batches":     {config.Key, 4, []string{"1234", "13"}},
		"by partition, alike": {config.Partition, 4, []string{"1234", "1234"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &noting{size: c.size, failures: map[string]int{"1": 1}}
			w := workertest.Worker{Ordering: c.ordering, Concurrency: 1}
			results := w.Run(t.Context(), worker.Batch(n), values("a=1", "b=2", "a=3", "4")...)
			if got := workertest.Values(results); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
				t.Errorf("the results are %v", got)
			}
			if !slices.Equal(n.calls, c.want) {
				t.Errorf("the calls are %v, want %v", n.calls, c.want)
			}
			for i, want := range []int{2, 1, 1, 1} {
				if got := results[i].Attempts; got != want {
					t.Errorf("record %d has %d attempts, want %d", i, got, want)
				}
			}
		})
	}
}

// TestHalves: a call that fails as a whole is tried again in halves, and only the record that
// fails alone is charged.
func TestHalves(t *testing.T) {
	n := &noting{size: 4, whole: true, failures: map[string]int{"3": 100}}
	results := workertest.Worker{MaxAttempts: 2, Concurrency: 1}.Run(t.Context(), worker.Batch(n), values("1", "2", "3", "4")...)
	if want := []string{"1234", "12", "34", "3", "4", "3"}; !slices.Equal(n.calls, want) {
		t.Errorf("the calls are %v, want %v", n.calls, want)
	}
	for i, want := range []int{1, 1, 2, 1} {
		if got := results[i].Attempts; got != want {
			t.Errorf("record %d has %d attempts, want %d", i+1, got, want)
		}
	}
	if results[2].Err == nil || results[3].Err != nil || results[0].Waited == 0 {
		t.Errorf("the results are %+v", results)
	}
}

// TestHalvesStayApart: they share their calls with no other record, which would be repeated
// because of them.
func TestHalvesStayApart(t *testing.T) {
	n := &noting{size: 3, whole: true, atOnce: true, failures: map[string]int{"2": 1, "4": 1}}
	workertest.Worker{Concurrency: 1}.Run(t.Context(), worker.Batch(n), values("1", "2", "3", "4")...)
	if want := []string{"123", "4", "12", "3", "4"}; !slices.Equal(n.calls, want) {
		t.Errorf("the calls are %v, want %v", n.calls, want)
	}
}

// TestTheEndOfARun: no record is tried again, and none is lost from the results.
func TestTheEndOfARun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &observing{Processor: worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
		if string(rec.Value) == "b" {
			cancel()
			return nil, ctx.Err()
		}
		return rec.Value, nil
	})}
	results := workertest.Worker{Ordering: config.Partition, MaxAttempts: 1}.Run(ctx, p, values("a", "b", "c")...)
	if !slices.Equal(p.fates, []worker.Fate{worker.Delivered}) || results[1].Attempts != 0 {
		t.Errorf("the fates are %v, and the record that was cut off has %d attempts", p.fates, results[1].Attempts)
	}
	if results[0].Err != nil || !errors.Is(results[1].Err, context.Canceled) || !errors.Is(results[2].Err, context.Canceled) {
		t.Errorf("the results are %+v", results)
	}
}

// TestHooksOfAWorker: a panic of the Sequencer ends its record's attempts, and partitions come
// and go.
func TestHooksOfAWorker(t *testing.T) {
	w := &watching{Processor: worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) { return rec.Value, nil })}
	workertest.Worker{}.Run(t.Context(), w, values("good", "skipped", "shocking")...)
	want := []string{
		"assigned input/0 at 0", "sequence 0/0", "sequence 0/1", "filtered 0/1 0", "sequence 0/2",
		"dead-lettered 0/2 0", "delivered 0/0 1", "revoked input/0 at 3",
	}
	if !slices.Equal(w.calls, want) {
		t.Errorf("the calls are\n%q\nwant\n%q", w.calls, want)
	}
}
