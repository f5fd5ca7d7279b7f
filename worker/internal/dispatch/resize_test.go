package dispatch

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// meeting counts the attempts that run at the same time, and holds them until the
// test sends to hold or closes it.
type meeting struct {
	now, most atomic.Int32
	hold      chan struct{}
}

func (m *meeting) attempt(context.Context, Item) error {
	n := m.now.Add(1)
	defer m.now.Add(-1)
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
	<-m.hold
	return nil
}

func (m *meeting) await(t *testing.T, n int32) {
	t.Helper()
	for start := time.Now(); m.now.Load() != n; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d attempts run at the same time, want %d", m.now.Load(), n)
		}
	}
}

func TestResize(t *testing.T) {
	m := &meeting{hold: make(chan struct{})}
	var finished atomic.Int32
	p := newTestPool(t, poolOptions{
		goroutines: 2, process: m.attempt,
		finish: func(Item, error) (time.Duration, bool) { finished.Add(1); return 0, false },
	})
	const records = 60
	p.Push(testChunk(nil, 0, 0, nulls(records)...))
	m.await(t, 2)
	p.Resize(5)
	m.await(t, 5)
	p.Resize(1)
	for range 5 { // for each attempt under way
		m.hold <- struct{}{}
	}
	m.await(t, 1)
	if p.Size() != 1 {
		t.Errorf("the size is %d, want 1", p.Size())
	}
	m.most.Store(0)
	for n := int32(6); n < records; n++ {
		m.hold <- struct{}{}
	}
	close(m.hold)
	for start := time.Now(); finished.Load() < records; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d of %d records are finished", finished.Load(), records)
		}
	}
	if m.most.Load() != 1 {
		t.Errorf("%d attempts ran at the same time in a pool of one goroutine", m.most.Load())
	}
}

// TestIdleGoroutinesLeave: idle goroutines leave a smaller pool, and the remaining
// ones still get pushed records.
func TestIdleGoroutinesLeave(t *testing.T) {
	done := make(chan struct{}, 1)
	p := newTestPool(t, poolOptions{
		goroutines: 8, process: func(context.Context, Item) error { return nil },
		finish: func(Item, error) (time.Duration, bool) { done <- struct{}{}; return 0, false },
	})
	for n := range 200 {
		p.Resize(1 + n%8)
		p.Push(testChunk(nil, 0, int64(n), nil))
		wait(t, "the record", done)
	}
	p.Resize(1)
	for start := time.Now(); len(p.currentClaims()) > 0 || len(*p.crew.runners.Load()) > 1; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d goroutines are left, want 1", len(*p.crew.runners.Load()))
		}
	}
}

// TestAttemptsCountThoseOfGoroutinesThatLeft: a count that falls would look like an
// attempt that ended.
func TestAttemptsCountThoseOfGoroutinesThatLeft(t *testing.T) {
	done := make(chan struct{}, 1)
	p := newTestPool(t, poolOptions{
		goroutines: 4, process: func(context.Context, Item) error { return nil },
		finish: func(Item, error) (time.Duration, bool) { done <- struct{}{}; return 0, false },
	})
	for n := range 20 {
		p.Push(testChunk(nil, 0, int64(n), nil))
		wait(t, "the record", done)
	}
	deadline := time.Now().Add(time.Minute)
	before, running := p.Attempts()
	for running {
		if time.Now().After(deadline) {
			t.Fatal("an attempt is still under way")
		}
		before, running = p.Attempts()
	}
	p.Resize(1)
	for len(*p.crew.runners.Load()) > 1 {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, want 1", len(*p.crew.runners.Load()))
		}
		time.Sleep(time.Millisecond)
	}
	if after, _ := p.Attempts(); after != before {
		t.Errorf("%d attempts before goroutines left, %d afterwards", before, after)
	}
}

// TestUsageFollowsTheSize: at each time, the saturation is the busy share of the
// goroutines that the pool has then.
func TestUsageFollowsTheSize(t *testing.T) {
	begin := time.Unix(0, 0)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	var u usage
	u.start(begin)
	u.resize(begin, 2)
	u.change(begin, +1)
	u.resize(at(10), 4) // half of 10 s so far
	u.change(at(20), +3)
	u.resize(at(30), 1) // more are busy than the size allows
	if got, want := u.total(at(40)), 5*time.Second+2500*time.Millisecond+10*time.Second+10*time.Second; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
