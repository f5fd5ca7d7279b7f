package engine_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// quickly makes transactions short, so that many end while a test looks.
func quickly(c *config.Config) { c.Transaction.Interval = duration(10 * time.Millisecond) }

// TestOffsetsAndResultsAreCommittedTogether: at any time, the records whose offsets are
// committed are those whose results readers see, no more and no fewer. Values are offsets, since there is one partition.
func TestOffsetsAndResultsAreCommittedTogether(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.exact()
	const n = 20_000
	w := r.start(identity, quickly)
	r.eventually("it reads", func() bool { return inState(w, "running") > 0 })
	written := r.produceSlowly(n)
	r.eventually("all results are seen", func() bool {
		before := r.values("out")
		settled := r.committedRecords(n)
		after := r.values("out")
		for v := range before {
			if settled[v] == 0 {
				t.Fatalf("the result of record %s is seen, and its offset is not committed", v)
			}
		}
		for v := range settled {
			if after[v] == 0 {
				t.Fatalf("the offset of record %s is committed, and its result is not seen", v)
			}
		}
		return len(after) == n
	})
	<-written
	w.drain()
	wantEach(t, r.committed("out"), 0, n, false)
}

// produceSlowly writes n records to "in" in small steps, and closes the channel at the end.
func (r *rig) produceSlowly(n int) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; i < n; i += 100 {
			r.produce(i, 100, n)
		}
	}()
	return done
}

// committedRecords returns the values of the first n records of partition 0 whose offsets
// the group has committed.
func (r *rig) committedRecords(n int64) map[string]int {
	r.t.Helper()
	committed, ok := r.cluster.GroupOffsets("group")["in"][0]
	if !ok {
		return nil
	}
	state, err := offsets.Decode(committed.Metadata, committed.Offset)
	if err != nil {
		r.t.Fatal(err)
	}
	found := map[string]int{}
	for _, settled := range append(state.Settled, offsets.Range{First: 0, Next: committed.Offset}) {
		for i := settled.First; i < min(settled.Next, n); i++ {
			found[strconv.FormatInt(i, 10)]++
		}
	}
	return found
}

// TestResultsOfARecordAreCommittedTogether: a reader that has seen the first result of a
// record sees the last one. There are many between them, so that it would often be cut off.
func TestResultsOfARecordAreCommittedTogether(t *testing.T) {
	r, _ := fakeRig(t, 2)
	r.exact()
	r.cluster.CreateTopic("between", 2, nil)
	r.cluster.CreateTopic("last", 1, nil)
	const n, results = 4000, 200
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		outputs := []worker.Output{{Value: rec.Value}}
		for range results {
			outputs = append(outputs, worker.Output{Topic: "between", Value: rec.Value})
		}
		return append(outputs, worker.Output{Topic: "last", Value: rec.Value}), nil
	}), func(c *config.Config) { c.Transaction.Interval = duration(300 * time.Millisecond) }) // time enough to look between two
	r.eventually("it reads", func() bool { return inState(w, "running") > 0 })
	written := r.produceSlowly(n)
	r.eventually("all last results are seen", func() bool {
		first := r.values("out")
		last := r.values("last")
		for v := range first {
			if last[v] == 0 {
				t.Fatalf("the first result of record %s is seen without its last one", v)
			}
		}
		return len(last) == n
	})
	<-written
	w.drain()
	wantEach(t, r.committed("last"), 0, n, false)
}
