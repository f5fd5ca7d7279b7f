package kafka

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	b := backoff{initial: 10 * time.Millisecond, max: 100 * time.Millisecond}
	for _, step := range []time.Duration{10, 20, 40, 80, 100, 100} {
		step *= time.Millisecond
		if got := b.next(); got < step/2 || got > step {
			t.Errorf("got %v, want from %v to %v", got, step/2, step)
		}
	}
	b.reset()
	if got := b.next(); got > 10*time.Millisecond {
		t.Errorf("after a reset: got %v, want at most 10ms", got)
	}
}

func TestBackoffNeverOverflows(t *testing.T) {
	var b backoff
	for range 200 {
		if got := b.next(); got <= 0 || got > backoffMax {
			t.Fatalf("got %v, want from 0 to %v", got, backoffMax)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := backoff{initial: time.Hour, max: time.Hour}
	if err := b.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := sleep(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("no time to sleep: got %v, want %v", err, context.Canceled)
	}
}
