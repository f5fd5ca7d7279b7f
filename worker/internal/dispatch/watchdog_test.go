package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func TestAttemptThatSeesItsContextFailsByOverrun(t *testing.T) {
	done := make(chan struct{})
	var attempts atomic.Int32
	p := newTestPool(t, poolOptions{
		goroutines: 1, timeout: 20 * time.Millisecond,
		process: func(ctx context.Context, _ Item) error {
			if attempts.Add(1) == 1 {
				<-ctx.Done()
				if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
					t.Errorf("ctx.Err() = %v", ctx.Err())
				}
				return nil // too late: the attempt has failed
			}
			if ctx.Err() != nil {
				t.Error("the next attempt's context has ended already")
			}
			return nil
		},
		finish: func(_ Item, err error) (time.Duration, bool) {
			if attempts.Load() == 1 {
				if !errors.Is(err, ErrOverrun) {
					t.Errorf("error = %v", err)
				}
				return 0, true
			}
			close(done)
			return 0, false
		},
	})
	p.Push(testChunk(nil, 0, 0, nil))
	wait(t, "the second attempt", done)
}

// TestSlowAttemptIsNotAnOverrun: the very first attempt takes long, but less than its
// timeout.
func TestSlowAttemptIsNotAnOverrun(t *testing.T) {
	var attempts atomic.Int32
	slow, done := make(chan struct{}), make(chan error, 1)
	p := newTestPool(t, poolOptions{
		goroutines: 2, timeout: time.Minute,
		process: func(ctx context.Context, it Item) error {
			if it.Record().Offset > 0 {
				return nil
			}
			attempts.Add(1)
			select {
			case <-slow:
			case <-ctx.Done():
			}
			return ctx.Err()
		},
		finish: func(it Item, err error) (time.Duration, bool) {
			if it.Record().Offset == 0 {
				done <- err
			}
			return 0, false
		},
	})
	p.Push(testChunk(nil, 0, 0, nulls(10)...))
	time.AfterFunc(20*watchInterval, func() { close(slow) })
	if err := <-done; err != nil || attempts.Load() != 1 {
		t.Errorf("%d attempts, the last ended with %v", attempts.Load(), err)
	}
}

func TestAttemptThatNeverReturnsIsReplaced(t *testing.T) {
	for _, lanes := range []*Lanes{nil, NewPartitionLane()} {
		release := make(chan struct{})
		finished := make(chan int64, 10)
		var first atomic.Bool
		p := newTestPool(t, poolOptions{
			goroutines: 1, timeout: 20 * time.Millisecond,
			process: func(_ context.Context, it Item) error {
				if it.Record().Offset == 1 && !first.Swap(true) {
					<-release // ignores its context
				}
				return nil
			},
			finish: func(it Item, err error) (time.Duration, bool) {
				if err != nil {
					return 0, true
				}
				finished <- it.Record().Offset
				return 0, false
			},
		})
		c := testChunk(lanes, 0, 0, nulls(4)...)
		p.Push(c)
		seen := map[int64]bool{}
		var sequence []int64
		for len(seen) < 4 {
			select {
			case offset := <-finished:
				if seen[offset] {
					t.Fatalf("record %d finished twice", offset)
				}
				seen[offset] = true
				sequence = append(sequence, offset)
			case <-time.After(20 * time.Second):
				t.Fatal("the pool did not go on without the lost goroutine")
			}
		}
		if lanes != nil && fmt.Sprint(sequence) != "[0 1 2 3]" {
			t.Errorf("lane finished in the order %v", sequence)
		}
		if !c.Leaked() {
			t.Error("the chunk's memory would be reused under the lost attempt")
		}
		close(release)
	}
}

// TestARecordThatNeverReturnsUsesUpItsAttempts: a record whose attempts never return
// may cost more goroutines than the pool has, and other records go on.
func TestARecordThatNeverReturnsUsesUpItsAttempts(t *testing.T) {
	const attempts, others = 5, 9
	for _, goroutines := range []int{1, 2} {
		release := make(chan struct{})
		var overruns, left atomic.Int32
		left.Store(others + 1)
		done := make(chan struct{})
		p := newTestPool(t, poolOptions{
			goroutines: goroutines, timeout: 20 * time.Millisecond,
			process: func(_ context.Context, it Item) error {
				if it.Record().Offset == 0 {
					<-release
				}
				return nil
			},
			finish: func(_ Item, err error) (time.Duration, bool) {
				if err != nil && overruns.Add(1) < attempts {
					return 0, true
				}
				if left.Add(-1) == 0 {
					close(done)
				}
				return 0, false
			},
		})
		p.Push(testChunk(nil, 0, 0, nulls(others+1)...))
		wait(t, "all records", done)
		close(release)
	}
}

func TestTooManyLostGoroutinesAreReported(t *testing.T) {
	const maxLost = 3
	release := make(chan struct{})
	overload := make(chan error, 1)
	p := newTestPool(t, poolOptions{
		goroutines: 2, timeout: 10 * time.Millisecond, maxLost: maxLost,
		overload: func(err error) { overload <- err; close(overload) }, // a second call would panic
		process:  func(context.Context, Item) error { <-release; return nil },
		finish:   func(Item, error) (time.Duration, bool) { return time.Hour, true },
	})
	p.Push(testChunk(nil, 0, 0, nulls(8)...))
	select {
	case err := <-overload:
		if lost := p.watchdog.lost.Load(); lost != maxLost {
			t.Errorf("%d goroutines are lost, want %d; %v", lost, maxLost, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("timed out waiting for the report")
	}
	close(release)
}
