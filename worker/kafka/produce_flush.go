package kafka

import (
	"context"
	"fmt"
)

// Flush returns when every record that was appended before the call is
// acknowledged or failed. They are sent at once.
func (p *Producer) Flush(ctx context.Context) error {
	p.flushing.Add(1)
	defer p.flushing.Add(-1)
	moves := p.moves.Load()
	targets := p.sealAll()
	for {
		// Taken first, so that no record that settles later is missed.
		progress := p.nextProgress()
		if now := p.moves.Load(); now != moves {
			// Some of the records may be in other queues now.
			moves = now
			targets = p.sealAll()
		}
		for q, target := range targets {
			if q.settledRecords() >= target {
				delete(targets, q)
			}
		}
		if p.moves.Load() != moves {
			continue
		}
		if len(targets) == 0 {
			return nil
		}
		select {
		case <-progress:
		case <-p.ctx.Done():
			return errProducerClosed
		case <-ctx.Done():
			return fmt.Errorf("wait for the records of %d partitions to be written: %w", len(targets), ctx.Err())
		}
	}
}

// sealAll makes all that was gathered due, and returns how many records of each
// partition have to be settled until it is written. Batches settle one after
// another and now end with the last of these records, so that counting is
// enough.
func (p *Producer) sealAll() map[*partitionQueue]int64 {
	targets := make(map[*partitionQueue]int64)
	for q := range p.queues {
		if target, waiting := q.sealNow(); waiting {
			targets[q] = target
		}
	}
	p.nudgeSenders()
	return targets
}

func (p *Producer) nextProgress() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// settledSome wakes who flushes.
func (p *Producer) settledSome() {
	if p.flushing.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.progress)
	p.progress = make(chan struct{})
}

// sealNow ends the open batch and returns how many records were appended so
// far, and whether any of them are not settled.
func (q *partitionQueue) sealNow() (appended int64, waiting bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seal()
	return q.appended, q.appended > q.settled
}

func (q *partitionQueue) settledRecords() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.settled
}
