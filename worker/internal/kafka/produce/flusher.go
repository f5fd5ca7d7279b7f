package produce

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// flusher waits until the records of a Producer have their outcome.
type flusher struct {
	p       *Producer
	waiting atomic.Int32 // calls of flush and flushCut

	mu       sync.Mutex
	progress chan struct{} // closed by progressed during a flush; guarded by mu
}

func (f *flusher) init(p *Producer) { f.p, f.progress = p, make(chan struct{}) }

// flush does the work of Producer.Flush.
func (f *flusher) flush(ctx context.Context) error {
	f.waiting.Add(1)
	defer f.waiting.Add(-1)
	moves := f.p.moves.Load()
	targets := f.sealAll()
	for {
		// Taken first, so that no record that settles later is missed.
		progress := f.nextProgress()
		if now := f.p.moves.Load(); now != moves {
			// Some of the records may be in other queues now.
			moves = now
			targets = f.sealAll()
		}
		for q, target := range targets {
			if q.settledRecords() >= target {
				delete(targets, q)
			}
		}
		if f.p.moves.Load() != moves {
			continue
		}
		if len(targets) == 0 {
			return nil
		}
		select {
		case <-progress:
		case <-f.p.tasks.ctx.Done():
			return errProducerClosed
		case <-ctx.Done():
			return fmt.Errorf("wait for the records of %d partitions to be written: %w", len(targets), ctx.Err())
		}
	}
}

// sealAll makes all gathered records due. For each partition, it returns how many
// records have to settle until all of these are written: batches settle one after
// another, and the last of these records ends its batch, so counting is enough.
func (f *flusher) sealAll() map[*partitionQueue]int64 {
	targets := make(map[*partitionQueue]int64)
	for q := range f.p.directory.queues {
		if target, waiting := q.sealNow(); waiting {
			targets[q] = target
		}
	}
	f.p.senders.wakeAll()
	return targets
}

func (f *flusher) nextProgress() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.progress
}

// progressed wakes the calls of flush: records have settled, or their partition is in
// trouble.
func (f *flusher) progressed() {
	if f.waiting.Load() == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.progress)
	f.progress = make(chan struct{})
}

// sealNow ends the open batch. It returns how many records were appended so far, and
// reports whether any of them are not settled.
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
