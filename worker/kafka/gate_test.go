package kafka

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errTestRefused = errors.New("refused")

func TestGateClosesAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		if err := g.enter("a"); err != nil {
			t.Fatalf("first attempt: %v", err)
		}
		g.leave("a", errTestRefused)
		if err := g.enter("a"); !errors.Is(err, errTestRefused) {
			t.Errorf("at once after a failure: got %v, want the last error", err)
		}
		if err := g.enter("b"); err != nil {
			t.Errorf("another address: %v", err)
		}
		time.Sleep(gateMax)
		if err := g.enter("a"); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		if err := g.enter("a"); !errors.Is(err, errTestRefused) {
			t.Errorf("while another attempt is under way: got %v, want the last error", err)
		}
		g.leave("a", nil)
		if err := errors.Join(g.enter("a"), g.enter("a")); err != nil {
			t.Errorf("after a success: %v", err)
		}
	})
}

func TestGateForgivesAnAbandonedAttempt(t *testing.T) {
	var g gate
	g.abandon("a", context.Canceled)
	if err := g.enter("a"); err != nil {
		t.Errorf("got %v, want the address open", err)
	}
	g.leave("a", errTestRefused)
	eventually(t, func() bool { return g.enter("a") == nil })
	g.abandon("a", context.Canceled)
	if err := g.enter("a"); err != nil {
		t.Errorf("after an abandoned probe: got %v, want another one let in", err)
	}
}

func TestACallerThatLeavesDoesNotCloseTheAddress(t *testing.T) {
	d := &dialer{timeout: time.Minute}
	d.connect = func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.dial(ctx, "tcp", "a:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := d.gate.enter("a:1"); err != nil {
		t.Errorf("the next caller: got %v, want the address open", err)
	}
}

func TestDialsOfADeadServerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		d := &dialer{timeout: time.Second}
		d.connect = func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			return nil, errTestRefused
		}
		const callers, span = 50, time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), span)
		defer cancel()
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for ctx.Err() == nil {
					_, _ = d.dial(ctx, "tcp", "a:1")
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		all.Wait()
		// The first of each caller may come before the first failure; then
		// every pause is at least half of gateMax in the long run.
		limit := int32(callers + 10 + span/(gateMax/2))
		if got := dials.Load(); got > limit {
			t.Errorf("got %d dials in %v, want at most %d", got, span, limit)
		}
	})
}
