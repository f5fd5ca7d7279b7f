package dispatch

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// groups notes the sizes of attempts. Each record holds a value.
type groups struct {
	mu    sync.Mutex
	sizes []int       // guarded by mu
	at    []time.Time // guarded by mu
	done  chan struct{}
}

func newGroups() *groups { return &groups{done: make(chan struct{}, 1000)} }

func (g *groups) Process(_ context.Context, items []Item) {
	g.mu.Lock()
	g.sizes, g.at = append(g.sizes, len(items)), append(g.at, time.Now())
	g.mu.Unlock()
}

func (g *groups) Expire([]Item, error) {}

func (g *groups) Finish(int, Item) Verdict {
	g.done <- struct{}{}
	return Verdict{}
}

func (g *groups) await(t *testing.T, records int) {
	t.Helper()
	for range records {
		select {
		case <-g.done:
		case <-time.After(time.Minute):
			t.Fatalf("the groups are %v", g.sizes)
		}
	}
}

// newLingering returns a pool whose records wait for others, and whose goroutines have
// measured a record.
func newLingering(t *testing.T, w Worker, batch, bytes int, linger time.Duration) *Pool {
	t.Helper()
	p := New(Config{
		Goroutines: 3, BatchSize: batch, BatchBytes: bytes, Linger: linger,
		NewWorker: func() Worker { return w }, Observe: func(time.Duration, int) {},
		MaxLost: func() int { return 1 }, OnLost: func(int) {}, OnOverload: func(err error) { t.Error(err) },
	})
	t.Cleanup(func() { closePool(t, p) })
	return p
}

// TestRecordsWaitForOthers: a full batch goes at once, and the rest when its time is over.
func TestRecordsWaitForOthers(t *testing.T) {
	const linger = 300 * time.Millisecond
	g := newGroups()
	p := newLingering(t, g, 10, 0, linger)
	begun := time.Now()
	p.Push(testChunk(nil, 0, 0, nulls(4)...))
	p.Push(testChunk(nil, 0, 4, nulls(3)...))
	p.Push(testChunk(nil, 1, 0, nulls(5)...))
	g.await(t, 12)
	if !slices.Equal(g.sizes, []int{10, 2}) {
		t.Errorf("the groups are %v, want 10 and the rest", g.sizes)
	}
	if waited := g.at[1].Sub(begun); waited < linger {
		t.Errorf("the rest waited for %s, want %s", waited, linger)
	}
}

// TestHurriedRecordsDoNotWait: a drain does not wait for the records to linger, neither for
// those that are left by another call nor for those that come back for another attempt.
func TestHurriedRecordsDoNotWait(t *testing.T) {
	g := newGroups()
	p := newLingering(t, g, 10, 0, time.Hour)
	p.Push(testChunk(NewKeyLanes(4), 0, 0, nulls(3)...))
	p.Hurry(true)
	g.await(t, 3)
	p.Push(testChunk(nil, 0, 3, nulls(13)...))
	g.await(t, 13)
	p.Push(testChunk(nil, 1, 0, nulls(1)...))
	g.await(t, 1)
	p.Hurry(false)
	before := len(g.sizes)
	p.Push(testChunk(nil, 1, 1, nulls(9)...))
	p.Push(testChunk(nil, 1, 10, nulls(1)...))
	g.await(t, 10)
	if got := g.sizes[before:]; !slices.Equal(got, []int{10}) {
		t.Errorf("the groups are %v after the hurry, want a full one", got)
	}
}

// failing asks for another attempt of its first item, once.
type failing struct {
	*groups
	failed atomic.Bool
}

func (f *failing) Finish(k int, it Item) Verdict {
	if f.failed.CompareAndSwap(false, true) {
		return Verdict{Again: true, After: time.Millisecond}
	}
	return f.groups.Finish(k, it)
}

// TestRecordsThatComeBackDoNotWait: they have waited before their first attempt.
func TestRecordsThatComeBackDoNotWait(t *testing.T) {
	for name, lanes := range map[string]*Lanes{"without an order": nil, "in a lane": NewPartitionLane()} {
		t.Run(name, func(t *testing.T) {
			f := &failing{groups: newGroups()}
			p := newLingering(t, f, 10, 0, time.Hour)
			p.Push(testChunk(lanes, 0, 0, nulls(10)...))
			f.await(t, 10)
			if len(f.sizes) != 2 || f.sizes[0] != 10 {
				t.Errorf("the groups are %v, want a full one, and another one without a wait", f.sizes)
			}
		})
	}
}

// TestRecordsOfSmallCallsDoNotWait: no others could share their calls.
func TestRecordsOfSmallCallsDoNotWait(t *testing.T) {
	g := newGroups()
	p := newLingering(t, g, 10, 0, time.Hour)
	c := testChunk(nil, 0, 0, nulls(3)...)
	c.Limit = 1
	p.Push(c)
	g.await(t, 3)
	if !slices.Equal(g.sizes, []int{1, 1, 1}) {
		t.Errorf("the groups are %v, want each record alone", g.sizes)
	}
}

// TestBytesBoundAGroup: a record that is larger than the bound goes alone.
func TestBytesBoundAGroup(t *testing.T) {
	g := newGroups()
	p := newLingering(t, g, 6, 10, time.Hour)
	c := testChunk(NewPartitionLane(), 0, 0, nulls(6)...)
	for i, size := range []int{4, 6, 1, 30, 5, 5} {
		c.Records[i] = record.Record{Offset: int64(i), Value: make([]byte, size)}
	}
	p.Push(c)
	g.await(t, 6)
	if !slices.Equal(g.sizes, []int{2, 1, 1, 2}) {
		t.Errorf("the groups are %v, want 2, 1, 1 and 2 records", g.sizes)
	}
}
