package dispatch

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// TestQuiesceWaitsForWhatIsClaimed: Quiesce returns when the results of all attempts
// under way are delivered, and not before.
func TestQuiesceWaitsForWhatIsClaimed(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var finished atomic.Int32
	p := newTestPool(t, poolOptions{
		goroutines: 3, timeout: time.Minute,
		process: func(context.Context, Item) error {
			begun <- struct{}{}
			<-release
			return nil
		},
		finish: func(Item, error) (time.Duration, bool) {
			finished.Add(1)
			return 0, false
		},
	})
	if err := p.Quiesce(context.Background()); err != nil {
		t.Fatalf("with nothing to do: %v", err)
	}
	c := testChunk(nil, 0, 0, nulls(2)...)
	p.Push(c)
	<-begun
	<-begun
	c.Cancelled.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 10*watchInterval)
	defer cancel()
	if err := p.Quiesce(ctx); err == nil {
		t.Error("Quiesce did not wait for the attempts")
	}
	close(release)
	if err := p.Quiesce(context.Background()); err != nil || finished.Load() != 2 {
		t.Errorf("%v; %d results are delivered, want 2", err, finished.Load())
	}
}
