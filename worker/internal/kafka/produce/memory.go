package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// memory is the memory of a Producer's records. It is safe for concurrent use.
type memory struct {
	buffers  *batch.Pool
	builders batch.BuilderPool

	limit    int64
	budget   *semaphore.Weighted // of limit: the memory of all batches
	used     atomic.Int64        // bytes of the budget
	blocked  atomic.Int32        // calls of Append that wait for the budget
	refusing atomic.Int32        // calls of OnAck with an Err

	ctx         context.Context // ends with Producer.Close
	wakeSenders func()

	unbounded atomic.Bool // Append goes beyond the budget; written under mu
	mu        sync.Mutex
	bounded   context.Context // ends when unbounded becomes true; guarded by mu
	unbind    context.CancelFunc
}

// errUnbounded ends the wait for memory: Append need not wait any more.
var errUnbounded = errors.New("records may go beyond the budget")

func (m *memory) init(limit int64, ctx context.Context, wakeSenders func()) { //nolint:revive // the context is kept
	m.limit, m.ctx, m.wakeSenders = limit, ctx, wakeSenders
	m.budget = semaphore.NewWeighted(limit)
	m.buffers = batch.NewPool(int(limit))
	m.bounded, m.unbind = context.WithCancel(context.Background())
}

// setUnbounded lets Append go beyond the budget, or ends that.
func (m *memory) setUnbounded(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case on && !m.unbounded.Load():
		m.unbounded.Store(true)
		m.unbind()
	case !on && m.unbounded.Load():
		m.bounded, m.unbind = context.WithCancel(context.Background())
		m.unbounded.Store(false)
	}
}

func (m *memory) whileBounded() context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bounded
}

// reserve takes n bytes of the budget, out of credit first, and returns how many
// have to be given back. It never waits: if missing is above 0, it has taken nothing,
// and the caller has to wait for that many bytes.
func (m *memory) reserve(n int64, credit *int64) (taken, missing int64) {
	switch {
	case n <= *credit:
		*credit -= n
	case m.budget.TryAcquire(n - *credit):
		m.used.Add(n - *credit)
		*credit = 0
	case m.refusing.Load() > 0 || m.unbounded.Load():
		// OnAck may be the caller: a wait for memory would keep its sender from
		// freeing any.
		return 0, 0
	default:
		return 0, n
	}
	return n, 0
}

// await waits until n bytes of the budget are free and takes them. Its error is
// errUnbounded if that is not necessary any more.
func (m *memory) await(ctx context.Context, n int64) error {
	m.blocked.Add(1)
	defer m.blocked.Add(-1)
	m.wakeSenders()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.ctx, func() { cancel(errProducerClosed) })()
	defer context.AfterFunc(m.whileBounded(), func() { cancel(errUnbounded) })()
	if m.budget.Acquire(ctx, n) != nil {
		return fmt.Errorf("wait for room among the records that are not written yet: %w", context.Cause(ctx))
	}
	m.used.Add(n)
	return nil
}

// giveBack frees n bytes of the budget.
func (m *memory) giveBack(n int64) {
	used := m.used.Add(-n)
	m.budget.Release(n)
	// The budget covers unused memory too.
	m.buffers.SetLimit(int(m.limit - used))
}

// release frees a batch.
func (m *memory) release(b *batch.Builder) {
	b.Free()
	m.giveBack(b.Reserved)
	m.builders.Put(b)
}

// divide makes new batches of b's records; see Builder.Divide.
func (m *memory) divide(b *batch.Builder, parts []int32) []*batch.Builder {
	return b.Divide(parts, &m.builders, m.buffers)
}
