package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// script is a Worker whose behaviour a test writes.
type script struct {
	process func(ctx context.Context, it Item) error
	whole   func(items []Item) error // the result of an attempt of several items as a whole; may be nil
	finish  func(it Item, err error) (time.Duration, bool)
	errs    []error
	failed  bool // the attempt failed as a whole
}

// together is how long records that failed together wait.
const together = 3 * time.Millisecond

func (s *script) Process(ctx context.Context, items []Item) {
	s.errs = s.errs[:0]
	s.failed = len(items) > 1 && s.whole != nil && s.whole(items) != nil
	for _, it := range items {
		s.errs = append(s.errs, s.process(ctx, it))
	}
}

func (s *script) Expire(items []Item, err error) {
	s.errs = s.errs[:0]
	s.failed = len(items) > 1 && s.whole != nil
	for range items {
		s.errs = append(s.errs, err)
	}
}

func (s *script) Finish(k int, it Item) Verdict {
	if s.failed {
		return Verdict{Again: true, After: together, Together: true}
	}
	after, again := s.finish(it, s.errs[k])
	return Verdict{Again: again, After: after}
}

type poolOptions struct {
	goroutines, batch int
	timeout           time.Duration
	light             time.Duration // records that take at most this long stay in the trunk; 0: the pool's value
	maxLost           int           // Config.MaxLost; 0 means 10
	overload          func(error)
	process           func(ctx context.Context, it Item) error
	whole             func(items []Item) error // see script
	finish            func(it Item, err error) (time.Duration, bool)
}

func newTestPool(t testing.TB, o poolOptions) *Pool {
	t.Helper()
	if o.overload == nil {
		o.overload = func(err error) { t.Errorf("overload: %v", err) }
	}
	p := New(Config{
		Goroutines: o.goroutines, BatchSize: max(o.batch, 1), Timeout: o.timeout,
		NewWorker: func() Worker { return &script{process: o.process, whole: o.whole, finish: o.finish} },
		Observe:   func(time.Duration, int) {},
		MaxLost:   func() int { return cmp.Or(o.maxLost, 10) }, OnLost: func(int) {},
		OnOverload: o.overload,
	})
	if o.light > 0 {
		p.mu.Lock()
		p.backlog.light, p.backlog.perRecord = o.light, 1
		p.mu.Unlock()
	}
	t.Cleanup(func() { closePool(t, p) })
	return p
}

// newIdlePool returns a pool of the given size whose goroutines don't run, so that a
// test can play them. Its records take hardly any time so far.
func newIdlePool(size int, light time.Duration) *Pool {
	p := newPool(Config{BatchSize: 1, NewWorker: func() Worker { return &script{} }})
	p.crew.size = size
	p.backlog.light, p.backlog.perRecord = light, 1
	return p
}

func closePool(t testing.TB, p *Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
}

// testChunk returns a chunk of one partition whose records have the given keys; a nil
// key is null. Offsets count up from first.
func testChunk(lanes *Lanes, partition int32, first int64, keys ...[]byte) *Chunk {
	c := &Chunk{Lanes: lanes, Cancelled: &atomic.Bool{}}
	for i, k := range keys {
		c.Records = append(c.Records, record.Record{Partition: partition, Offset: first + int64(i), Key: k})
	}
	return c
}

func nulls(n int) [][]byte { return make([][]byte, n) }

func wait(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("timed out waiting for %s", what)
	}
}

func TestUnorderedRunsEveryRecordOnceAndInParallel(t *testing.T) {
	const goroutines, records = 4, 3000
	var mu sync.Mutex
	seen := map[int64]int{}
	var meeting sync.WaitGroup // the first records of all goroutines wait for each other: they run in parallel
	meeting.Add(goroutines)
	var arrivals atomic.Int32
	done := make(chan struct{})
	p := newTestPool(t, poolOptions{
		goroutines: goroutines,
		process: func(context.Context, Item) error {
			if arrivals.Add(1) <= goroutines {
				meeting.Done()
				meeting.Wait()
			}
			return nil
		},
		finish: func(it Item, _ error) (time.Duration, bool) {
			mu.Lock()
			defer mu.Unlock()
			seen[it.Record().Offset]++
			if len(seen) == records {
				close(done)
			}
			return 0, false
		},
	})
	for first := int64(0); first < records; first += 500 {
		p.Push(testChunk(nil, 0, first, nulls(500)...))
	}
	wait(t, "all records", done)
	for offset, n := range seen {
		if n != 1 {
			t.Fatalf("record %d ran %d times", offset, n)
		}
	}
}

// order checks, from inside the attempts, that no two records of a lane run at the
// same time, and that they finish in their order.
type order struct {
	t       testing.TB
	lane    func(*record.Record) string
	mu      sync.Mutex
	running map[string]int64
	last    map[string]int64
	left    int
	done    chan struct{}
}

func newOrder(t testing.TB, records int, lane func(*record.Record) string) *order {
	return &order{t: t, lane: lane, running: map[string]int64{}, last: map[string]int64{}, left: records, done: make(chan struct{})}
}

func (o *order) begin(rec *record.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	lane := o.lane(rec)
	if other, ok := o.running[lane]; ok {
		o.t.Errorf("records %d and %d of lane %q run at the same time", other, rec.Offset, lane)
	}
	o.running[lane] = rec.Offset
}

func (o *order) end(rec *record.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.running, o.lane(rec))
}

func (o *order) finish(rec *record.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	lane := o.lane(rec)
	if last, ok := o.last[lane]; ok && rec.Offset <= last {
		o.t.Errorf("lane %q: record %d finished after %d", lane, rec.Offset, last)
	}
	o.last[lane] = rec.Offset
	if o.left--; o.left == 0 {
		close(o.done)
	}
}

// TestOrderIsKeptUnderRandomFailures runs records with Zipf-distributed keys and
// random failures, with and without backoff, alone and in batches.
func TestOrderIsKeptUnderRandomFailures(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lanes func() *Lanes
		batch int
		light time.Duration
		lane  func(*record.Record) string
		whole bool // attempts of several records fail as a whole
	}{
		{"key", func() *Lanes { return NewKeyLanes(16) }, 1, 0, keyOf, false},
		{"light key", func() *Lanes { return NewKeyLanes(16) }, 1, time.Hour, keyOf, false},
		{"partition", NewPartitionLane, 1, 0, partitionOf, false},
		{"key in batches", func() *Lanes { return NewKeyLanes(16) }, 7, 0, nil, false},
		{"light key in batches", func() *Lanes { return NewKeyLanes(16) }, 7, time.Hour, nil, false},
		{"partition in batches", NewPartitionLane, 7, 0, nil, false},
		{"key in batches that fail", func() *Lanes { return NewKeyLanes(16) }, 7, 0, nil, true},
		{"light key in batches that fail", func() *Lanes { return NewKeyLanes(16) }, 7, time.Hour, nil, true},
		{"partition in batches that fail", NewPartitionLane, 7, 0, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			const partitions, chunks, size = 3, 40, 64
			rnd := rand.New(rand.NewPCG(seed, 1))
			zipf := rand.NewZipf(rnd, 1.1, 1, 200)
			finishLane := tc.lane
			if finishLane == nil {
				finishLane = map[bool]func(*record.Record) string{true: keyOf, false: partitionOf}[tc.lanes().keys != nil]
			}
			o := newOrder(t, partitions*chunks*size, finishLane)
			fails := sync.Map{} // record -> failures left
			bad := func(it Item) bool {
				left, ok := fails.Load(fmt.Sprint(it.Record().Partition, it.Record().Offset))
				return ok && left.(int) > 0
			}
			var whole func([]Item) error
			if tc.whole {
				whole = func(items []Item) error {
					if slices.ContainsFunc(items, bad) {
						return errors.New("one of them")
					}
					return nil
				}
			}
			p := newTestPool(t, poolOptions{
				goroutines: 4, batch: tc.batch, light: tc.light, whole: whole,
				process: func(_ context.Context, it Item) error {
					rec := it.Record()
					if tc.lane != nil {
						o.begin(rec)
						defer o.end(rec)
					}
					if bad(it) {
						return errors.New("once more")
					}
					return nil
				},
				finish: func(it Item, err error) (time.Duration, bool) {
					rec := it.Record()
					if err == nil {
						o.finish(rec)
						return 0, false
					}
					id := fmt.Sprint(rec.Partition, rec.Offset)
					left, _ := fails.Load(id)
					fails.Store(id, left.(int)-1)
					return time.Duration(left.(int)-1) * 100 * time.Microsecond, true
				},
			})
			lanes := make([]*Lanes, partitions)
			for i := range lanes {
				lanes[i] = tc.lanes()
			}
			for n := range chunks {
				for part := range partitions {
					keys := make([][]byte, size)
					for i := range keys {
						if rnd.IntN(20) > 0 {
							keys[i] = fmt.Append(nil, zipf.Uint64())
						}
						if rnd.IntN(30) == 0 {
							fails.Store(fmt.Sprint(part, n*size+i), 1+rnd.IntN(3))
						}
					}
					p.Push(testChunk(lanes[part], int32(part), int64(n*size), keys...))
				}
			}
			wait(t, "all records", o.done)
		})
	}
}

func keyOf(rec *record.Record) string {
	if rec.Key == nil { // has no order
		return fmt.Sprintf("%d/%d", rec.Partition, rec.Offset)
	}
	return fmt.Sprintf("%d/%q", rec.Partition, rec.Key)
}

func partitionOf(rec *record.Record) string { return fmt.Sprint(rec.Partition) }

func TestAStuckLaneHoldsUpNoOther(t *testing.T) {
	release := make(chan struct{})
	others := make(chan struct{})
	stuck := make(chan struct{})
	var left atomic.Int32
	left.Store(3)
	p := newTestPool(t, poolOptions{
		goroutines: 2,
		process: func(_ context.Context, it Item) error {
			if it.Record().Partition == 0 && it.Record().Offset == 0 {
				<-release
			}
			return nil
		},
		finish: func(it Item, _ error) (time.Duration, bool) {
			switch {
			case it.Record().Partition == 1 && left.Add(-1) == 0:
				close(others)
			case it.Record().Partition == 0 && it.Record().Offset == 1:
				close(stuck)
			}
			return 0, false
		},
	})
	p.Push(testChunk(NewPartitionLane(), 0, 0, nulls(2)...))
	p.Push(testChunk(NewPartitionLane(), 1, 0, nulls(3)...))
	wait(t, "the other partition", others)
	select {
	case <-stuck:
		t.Fatal("a record overtook the stuck record of its partition")
	default:
	}
	close(release)
	wait(t, "the stuck partition", stuck)
}

func TestCancelledChunksAreSkipped(t *testing.T) {
	block, done := make(chan struct{}), make(chan struct{})
	p := newTestPool(t, poolOptions{
		goroutines: 1,
		process: func(_ context.Context, it Item) error {
			if it.Record().Partition == 0 {
				<-block
			}
			return nil
		},
		finish: func(it Item, _ error) (time.Duration, bool) {
			switch it.Record().Partition {
			case 1:
				t.Error("a record of a cancelled chunk ran")
			case 2:
				close(done)
			}
			return 0, false
		},
	})
	p.Push(testChunk(nil, 0, 0, nil))
	gone := testChunk(nil, 1, 0, nulls(3)...)
	p.Push(gone)
	goneLanes := testChunk(NewKeyLanes(4), 1, 0, nulls(3)...)
	p.Push(goneLanes)
	p.Push(testChunk(nil, 2, 0, nil))
	gone.Cancelled.Store(true)
	goneLanes.Cancelled.Store(true)
	close(block)
	wait(t, "the chunk that was not cancelled", done)
}

func TestBusyIntegratesWork(t *testing.T) {
	start := time.Now()
	began, release := make(chan struct{}), make(chan struct{})
	p := newTestPool(t, poolOptions{
		goroutines: 2,
		process:    func(context.Context, Item) error { close(began); <-release; return nil },
		finish:     func(Item, error) (time.Duration, bool) { return 0, false },
	})
	p.Push(testChunk(nil, 0, 0, nil))
	wait(t, "the attempt", began)
	before := p.Busy()
	for p.Busy()-before < 5*time.Millisecond { // grows while one goroutine works
		if time.Since(start) > 10*time.Second {
			t.Fatal("Busy does not grow")
		}
	}
	if busy, limit := p.Busy(), time.Since(start); busy > limit {
		t.Errorf("Busy = %s, more than the time of %s", busy, limit)
	}
	close(release)
}

func TestNoAllocationForEachRecord(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lanes *Lanes
	}{{"unordered", nil}, {"key", NewKeyLanes(64)}, {"partition", NewPartitionLane()}} {
		t.Run(tc.name, func(t *testing.T) {
			const size = 512
			var left atomic.Int64
			done := make(chan struct{}, 1)
			p := New(Config{
				Goroutines: 1, BatchSize: 1, Timeout: time.Minute,
				NewWorker: func() Worker { return &counter{left: &left, done: done} },
				Observe:   func(time.Duration, int) {},
			})
			defer closePool(t, p)
			keys := make([][]byte, size)
			for i := range keys {
				keys[i] = fmt.Append(nil, i%50)
			}
			c := testChunk(tc.lanes, 0, 0, keys...)
			allocs := testing.AllocsPerRun(200, func() {
				c.claimed, c.linked = 0, false
				left.Store(size)
				p.Push(c)
				<-done
			})
			if allocs > size/100 {
				t.Errorf("%.1f allocations for %d records", allocs, size)
			}
		})
	}
}

type counter struct {
	left *atomic.Int64
	done chan struct{}
}

func (c *counter) Process(context.Context, []Item) {}
func (c *counter) Expire([]Item, error)            {}
func (c *counter) Finish(int, Item) Verdict {
	if c.left.Add(-1) == 0 {
		c.done <- struct{}{}
	}
	return Verdict{}
}

func BenchmarkPool(b *testing.B) {
	for _, tc := range []struct {
		name  string
		lanes func() *Lanes
	}{
		{"unordered", func() *Lanes { return nil }},
		{"key", func() *Lanes { return NewKeyLanes(64) }},
		{"partition", NewPartitionLane},
	} {
		b.Run(tc.name, func(b *testing.B) {
			const size, chunks = 512, 16
			var left atomic.Int64
			done := make(chan struct{}, 1)
			p := New(Config{
				Goroutines: 2, BatchSize: 1, Timeout: time.Minute,
				NewWorker: func() Worker { return &counter{left: &left, done: done} },
				Observe:   func(time.Duration, int) {},
			})
			defer closePool(b, p)
			var all []*Chunk
			for part := range chunks {
				keys := make([][]byte, size)
				for i := range keys {
					keys[i] = fmt.Append(nil, i%50)
				}
				all = append(all, testChunk(tc.lanes(), int32(part), 0, keys...))
			}
			b.ReportAllocs()
			for i := 0; i < b.N; i += size * chunks {
				left.Store(size * chunks)
				for _, c := range all {
					c.claimed, c.linked = 0, false
					p.Push(c)
				}
				<-done
			}
		})
	}
}
