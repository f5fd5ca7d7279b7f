package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// holding keeps the number of records that it has seen of each partition, as a processor
// with state does, and notes each call that comes out of its order.
type holding struct {
	mu      sync.Mutex
	counts  map[int32]int64 // of the assigned partitions; guarded by mu
	calls   []string        // guarded by mu
	wrong   []string        // guarded by mu
	running map[int32]int   // calls of Process; guarded by mu
}

func newHolding() *holding {
	return &holding{counts: map[int32]int64{}, running: map[int32]int{}}
}

func (h *holding) enter(partition int32, change int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, assigned := h.counts[partition]; !assigned && change > 0 {
		h.wrong = append(h.wrong, fmt.Sprintf("a record of partition %d, which is not assigned", partition))
	}
	h.running[partition] += change
}

func (h *holding) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	h.enter(rec.Partition, 1)
	defer h.enter(rec.Partition, -1)
	out.EmitValue(rec.Value)
	return nil
}

func (h *holding) Sequence(rec *worker.Record) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n, assigned := h.counts[rec.Partition]; !assigned || rec.Offset != n {
		h.wrong = append(h.wrong, fmt.Sprintf("offset %d of partition %d, want %d (assigned: %v)", rec.Offset, rec.Partition, n, assigned))
	}
	h.counts[rec.Partition] = rec.Offset + 1
	return true
}

func (h *holding) Assigned(topic string, partition int32, offset int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, twice := h.counts[partition]; twice || topic != "in" {
		h.wrong = append(h.wrong, fmt.Sprintf("topic %s, partition %d is assigned twice: %v", topic, partition, twice))
	}
	h.counts[partition] = offset
	h.calls = append(h.calls, fmt.Sprintf("assigned %d at %d", partition, offset))
}

func (h *holding) Revoked(_ string, partition int32, offset int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.counts[partition]; n != offset || h.running[partition] > 0 {
		h.wrong = append(h.wrong, fmt.Sprintf("partition %d is revoked at %d after %d records, with %d calls", partition, offset, n, h.running[partition]))
	}
	delete(h.counts, partition)
	h.calls = append(h.calls, fmt.Sprintf("revoked %d at %d", partition, offset))
}

func (h *holding) Lost(_ string, partition int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.counts, partition)
	h.calls = append(h.calls, fmt.Sprintf("lost %d", partition))
}

// seen returns how often a call whose text begins so was made.
func (h *holding) seen(call string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

func (h *holding) check(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wrong) > 0 {
		t.Errorf("%d calls are out of order: %s; all: %q", len(h.wrong), strings.Join(h.wrong[:min(5, len(h.wrong))], "; "), h.calls)
	}
}

// TestPartitionsAreHandedOverWithTheirState: two workers share partitions, and one of them
// stops. Each partition is assigned before its first record and revoked after the last
// one, and the next owner begins where the last one has ended.
func TestPartitionsAreHandedOverWithTheirState(t *testing.T) {
	const n = 4000
	r, _ := fakeRig(t, 4)
	r.cfg.Ordering = config.Partition
	r.produce(0, n, 8)
	first, second := newHolding(), newHolding()
	a := r.start(first)
	r.eventually("the first one has all", func() bool { return first.seen("assigned") == 4 })
	b := r.start(second)
	r.eventually("the second one has some", func() bool { return second.seen("assigned") >= 1 })
	r.produce(n, n, 8)
	a.drain()
	r.awaitSettled(b)
	b.drain()
	for _, h := range []*holding{first, second} {
		h.check(t)
		if h.seen("lost") > 0 || h.seen("assigned") != h.seen("revoked") {
			t.Errorf("the calls are %q", h.calls)
		}
	}
	for partition := range 4 {
		assigned := slices.DeleteFunc(slices.Clone(second.calls), func(c string) bool { return !strings.HasPrefix(c, fmt.Sprintf("assigned %d ", partition)) })
		revoked := fmt.Sprintf("revoked %d %s", partition, strings.Join(strings.Fields(assigned[0])[2:], " "))
		if len(assigned) != 1 || !slices.Contains(first.calls, revoked) {
			t.Errorf("partition %d: the second worker has %q, which the first has not given back: %q", partition, assigned, first.calls)
		}
	}
	wantEach(t, r.values("out"), 0, 2*n, false)
}

// TestALostPartitionIsTold: the group throws the worker out, and takes it in again.
func TestALostPartitionIsTold(t *testing.T) {
	r, _ := fakeRig(t, 2)
	r.produce(0, 100, 2)
	h := newHolding()
	w := r.start(h)
	r.awaitSettled(w)
	r.throwOut(w)
	r.eventually("both are lost and assigned again", func() bool { return h.seen("lost") == 2 && h.seen("assigned") == 4 })
	r.produce(100, 100, 2)
	r.awaitSettled(w)
	w.drain()
	h.check(t)
	if h.seen("revoked") != 2 {
		t.Errorf("the calls are %q, want two partitions revoked at the end", h.calls)
	}
}

// withoutState can't begin a partition.
type withoutState struct {
	worker.Processor
	hook string
}

func (w withoutState) panicsIn(hook string) {
	if w.hook == hook {
		panic("no state in " + hook)
	}
}

func (w withoutState) Assigned(string, int32, int64) { w.panicsIn("Assigned") }
func (w withoutState) Revoked(string, int32, int64)  { w.panicsIn("Revoked") }
func (w withoutState) Lost(string, int32)            { w.panicsIn("Lost") }

// TestPanicsOfAPartitionHolder: without its state a partition is not read, and the worker
// ends. At the end of a partition a panic changes nothing.
func TestPanicsOfAPartitionHolder(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 50, 1)
	err := r.start(withoutState{identity, "Assigned"}).wait()
	if err == nil || !strings.Contains(err.Error(), "partition 0: in Assigned: the processor panicked: no state in Assigned") {
		t.Errorf("the worker ended with %v", err)
	}
	if out := r.values("out"); len(out) > 0 {
		t.Errorf("%d records were processed without the state", len(out))
	}
	w := r.start(withoutState{identity, "Revoked"})
	r.awaitSettled(w)
	w.drain()
	if lines := w.log.lines("a hook of the processor panicked"); len(lines) != 1 || !strings.Contains(lines[0], "in Revoked") {
		t.Errorf("the log has %q", lines)
	}
	if !r.committedAll() {
		t.Error("not everything is committed")
	}
}
