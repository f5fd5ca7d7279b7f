package lines_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/lines"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// text is the output of a run. It is safe for concurrent use.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (o *text) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *text) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// rig is a worker's processor with a program behind it.
type rig struct {
	*testing.T
	processor *sidecar.Processor
	output    text
	end       context.CancelFunc
	ended     chan struct{} // closed when Run has returned err
	err       error
}

// newRig runs a command in so many processes, which get batches of up to most records.
func newRig(t *testing.T, processes, most int, command ...string) *rig {
	t.Helper()
	r := &rig{T: t, ended: make(chan struct{})}
	socket := filepath.Join(t.TempDir(), "s")
	var err error
	r.processor, err = sidecar.Listen(sidecar.Options{
		Socket: socket, Log: testr.New(t), Batch: sidecar.Batch{MaxRecords: most}, Worker: config.Config{Input: config.Input{Topic: "in"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	r.end = end
	go func() {
		defer close(r.ended)
		r.err = lines.Run(ctx, lines.Options{Socket: socket, Processes: processes, Command: command, Output: &r.output})
	}()
	t.Cleanup(func() {
		_ = r.processor.Close() // a test may have closed it
		end()
		<-r.ended
	})
	return r
}

// run processes a record for each value, and returns the results.
func (r *rig) run(timeout time.Duration, values ...string) []workertest.Result {
	r.Helper()
	if err := r.processor.Await(r.Context()); err != nil {
		r.Fatal(err)
	}
	var records []worker.Record
	for i, v := range values {
		records = append(records, worker.Record{Topic: "in", Offset: int64(i + 1), Key: []byte("k"), Value: []byte(v)})
	}
	ctx := r.Context()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return workertest.Run(ctx, worker.Batch(r.processor), records...)
}

// TestAProgramsFaults: a program that breaks down at one record, in whatever way, fails that
// record with a reason, and no other. It is started again.
func TestAProgramsFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"exit":               "the program has failed when it had answered 0 of 1 lines: exit status 3; its last line: the program can't go on",
		"text nonsense":      `the program's answer 1 of 1 can't be used: it is not JSON`,
		"text":               "it is empty: write null for no result",
		"text 120":           `it is a JSON number: write an object, such as {"value": ...}`,
		`text {"total": 1}`:  `unknown field "total": the fields are value,`,
		`text {"offset": 9}`: "it is for another record than that of partition 0 and offset 4",
		"twice":              "it writes more than one line for each line that it gets",
		"endless":            "it writes a line of more than 134217728 bytes",
		"close":              "it has closed its standard output",
		"latin":              "exit status 3; its last line: \uFFFDchec",
		"long":               "exit status 3; its last line: x" + strings.Repeat("é", 249),
		"leave":              "exit status 4",
		"fail not today":     "not today",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, 1, os.Args[0], asProgram)
			results := r.run(0, "a", "b", "c", fault, "d", "filter", "outputs 2")
			for i, got := range results {
				switch {
				case i == 3 && (got.Err == nil || !strings.Contains(got.Err.Error(), want)):
					t.Errorf("the record ends with %v, want %q", got.Err, want)
				case i != 3 && got.Err != nil:
					t.Errorf("record %d fails: %v", i, got.Err)
				}
			}
			if got := strings.Join(workertest.Values(results), " "); got != "a b c d 0 1" {
				t.Errorf("the outputs are %q", got)
			}
			if said := r.output.String(); strings.Contains(said, "started again") == strings.HasPrefix(fault, "fail ") {
				t.Errorf("the output is %q", said)
			}
		})
	}
}

// TestAProgramThatHangs fails the attempt when its time is over, and the hint about buffers is
// in the output.
func TestAProgramThatHangs(t *testing.T) {
	for name, command := range map[string][]string{
		"answers late":         {os.Args[0], asProgram},
		"never reads":          {"sleep", "3600"},
		"never answers":        {"sh", "-c", "exec cat >/dev/null"},
		"a child of the shell": {"sh", "-c", "sleep 3600 | cat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, 1, command...)
			// More than a pipe holds.
			results := r.run(300*time.Millisecond, "sleep 3600000", strings.Repeat("x", 1<<20))
			for _, got := range results {
				if got.Err == nil {
					t.Error("a record succeeds")
				}
			}
			r.await("null for no result, and write it at once instead of keeping it in a buffer (jq --unbuffered")
		})
	}
}

// await waits until the output has a text.
func (r *rig) await(want string) {
	r.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(r.output.String(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("there is no %q in the output:\n%s", want, r.output.String())
		}
	}
}

// TestManyLargeLines: a program that reads all lines before it answers, and one that answers
// each at once, get more than pipes hold.
func TestManyLargeLines(t *testing.T) {
	for name, command := range map[string][]string{
		"at once": {"cat"}, "in blocks": {"dd", "bs=400000", "iflag=fullblock", "status=none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 2, 8, command...)
			var values []string
			for i := range 16 {
				// With its envelope, a line has 100,000 bytes, and a batch 8 of them.
				values = append(values, strings.Repeat(fmt.Sprint(i%10), 100_000-len(`{"topic":"in","partition":0,"offset":,"timestamp":null,"key":"k","value":""}`)-1-len(fmt.Sprint(i+1))))
			}
			results := r.run(0, values...)
			for i, got := range results {
				if got.Err != nil || len(got.Outputs) != 1 || string(got.Outputs[0].Value) != values[i] {
					t.Errorf("record %d: %v, or another value", i, got.Err)
				}
			}
		})
	}
}

// TestAProgramThatCantRun ends the run, with its last line.
func TestAProgramThatCantRun(t *testing.T) {
	for want, command := range map[string][]string{
		"no-such-program": {"no-such-program"},
		"the program can't run: the program has ended while it held no record: exit status 5; its last line: no such filter": {"sh", "-c", "echo no such filter >&2; exit 5"},
		"its last line: no model": {"sh", "-c", "sleep 1; printf 'no model' >&2; exit 5"},
	} {
		r := newRig(t, 3, 8, command...)
		<-r.ended
		if r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("%q: %v, want %q", command, r.err, want)
		}
	}
}

// TestAFaultInABatch fails the batch, since nobody knows what the program has made of the other
// records. The worker tries them again in smaller ones.
func TestAFaultInABatch(t *testing.T) {
	r := newRig(t, 1, 8, os.Args[0], asProgram)
	for i, got := range r.run(0, "a", "exit", "b") {
		if got.Err == nil || !strings.Contains(got.Err.Error(), "the program has failed when it had answered 1 of 3 lines: exit status 3") {
			t.Errorf("record %d ends with %v", i, got.Err)
		}
	}
}

// TestAProgramThatEndsByItself between two batches is started again, and costs no record an
// attempt.
func TestAProgramThatEndsByItself(t *testing.T) {
	r := newRig(t, 1, 8, "head", "-n", "1")
	for _, v := range []string{"a", "b"} {
		if results := r.run(0, v); results[0].Err != nil {
			t.Errorf("%s fails: %v", v, results[0].Err)
		}
		r.await("the program has ended while it held no record: exit status 0; the program is started again")
	}
}

// TestTheEnd: the program gets the end of its input, and time to act on it, when the worker
// closes or when it is the adapter that has to end.
func TestTheEnd(t *testing.T) {
	for name, end := range map[string]func(*rig){
		"by the worker": func(r *rig) {
			if err := r.processor.Close(); err != nil {
				r.Error(err)
			}
		},
		"by a signal": func(r *rig) { r.end() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 2, 8, "sh", "-c", "cat; echo the input has ended >&2")
			if results := r.run(0, "a"); results[0].Err != nil {
				t.Fatal(results[0].Err)
			}
			end(r)
			<-r.ended
			if n := strings.Count(r.output.String(), "the input has ended\n"); r.err != nil || n != 2 {
				t.Errorf("%v, and %d processes end in good order, want 2:\n%s", r.err, n, r.output.String())
			}
		})
	}
}
