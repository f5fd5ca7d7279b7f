package dispatch

import (
	"context"
	"maps"
	"time"
)

// Quiesce waits until every goroutine has ended the claim that it has at the time of
// the call. After that, no attempt of a chunk that was Cancelled before the call is
// under way, and the results of all earlier ones are delivered. Quiesce returns ctx's
// error if ctx ends first.
func (p *Pool) Quiesce(ctx context.Context) error {
	busy := p.currentClaims()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for len(busy) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		now := p.currentClaims()
		maps.DeleteFunc(busy, func(r *runner, claim uint64) bool {
			current, working := now[r]
			return !working || current != claim
		})
	}
	return nil
}

// currentClaims returns the number of each goroutine's claim.
func (p *Pool) currentClaims() map[*runner]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crew.claims()
}
