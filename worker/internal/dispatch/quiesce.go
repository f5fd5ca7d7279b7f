package dispatch

import (
	"context"
	"maps"
	"time"
)

// Quiesce returns when every goroutine has ended the claim that it had at the call.
// Then no attempt of a chunk that was Cancelled before the call is under way, and all
// their results are delivered. It gives up with ctx's error when ctx is done.
func (p *Pool) Quiesce(ctx context.Context) error {
	busy := p.claims()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for len(busy) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		now := p.claims()
		maps.DeleteFunc(busy, func(r *runner, claim uint64) bool {
			present, working := now[r]
			return !working || present != claim
		})
	}
	return nil
}

// claims returns the number of each goroutine's claim; those that wait for work
// have none.
func (p *Pool) claims() map[*runner]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	runners := *p.runners.Load()
	claims := make(map[*runner]uint64, len(runners))
	for _, r := range runners {
		if !r.waiting {
			claims[r] = r.claims
		}
	}
	return claims
}
