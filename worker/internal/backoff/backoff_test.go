package backoff

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	b := Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}
	for _, step := range []time.Duration{10, 20, 40, 80, 100, 100} {
		step *= time.Millisecond
		if got := b.Next(); got < step/2 || got > step {
			t.Errorf("got %v, want from %v to %v", got, step/2, step)
		}
	}
	b.Reset()
	if got := b.Next(); got > 10*time.Millisecond {
		t.Errorf("after a reset: got %v, want at most 10ms", got)
	}
}

func TestBackoffNeverOverflows(t *testing.T) {
	var b Backoff
	for range 200 {
		if got := b.Next(); got <= 0 || got > DefaultMax {
			t.Fatalf("got %v, want from 0 to %v", got, DefaultMax)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := Backoff{Initial: time.Hour, Max: time.Hour}
	if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := Sleep(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("no time to sleep: got %v, want %v", err, context.Canceled)
	}
}
