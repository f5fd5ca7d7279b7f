package kafka

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// reserve takes n bytes of the budget, out of credit first, and returns how many
// have to be given back. It never waits: above 0, missing is what has to be
// waited for.
func (p *Producer) reserve(n int64, credit *int64) (taken, missing int64) {
	switch {
	case n <= *credit:
		*credit -= n
	case p.budget.TryAcquire(n - *credit):
		p.used.Add(n - *credit)
		*credit = 0
	case p.refusing.Load() > 0:
		// It may be OnAck that appends: waiting for memory would keep its
		// sender from freeing any.
		return 0, 0
	default:
		return 0, n
	}
	return n, 0
}

// await waits until n bytes of the budget are free and takes them.
func (p *Producer) await(ctx context.Context, n int64) error {
	p.blocked.Add(1)
	defer p.blocked.Add(-1)
	p.nudgeSenders()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.ctx, func() { cancel(errProducerClosed) })()
	if p.budget.Acquire(ctx, n) != nil {
		return fmt.Errorf("wait for room among the records that are not written yet: %w", context.Cause(ctx))
	}
	p.used.Add(n)
	return nil
}

// giveBack frees n bytes of the budget.
func (p *Producer) giveBack(n int64) {
	used := p.used.Add(-n)
	p.budget.Release(n)
	// Unused memory is kept within the budget too.
	p.buffers.SetLimit(int(p.maxBufferedBytes - used))
}

func (p *Producer) nudgeSenders() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.senders {
		s.nudged.Notify()
	}
}

// release frees a batch that is done with.
func (p *Producer) release(b *batch.Builder) {
	b.Free()
	p.giveBack(b.Reserved)
	p.builders.Put(b)
}
