package fetch

import (
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// memoryWait is how long a poller that found no memory waits before it looks again.
// Freed memory wakes it earlier; the wait is for a wake-up that it has missed.
const memoryWait = 20 * time.Millisecond

// heldBytes bounds the response to a request that the broker holds because it has no
// records yet, so that such requests leave memory to the others.
const heldBytes = 1 << 20

// memory is the memory of a Fetcher's records, with an account of each partition.
// It is safe for concurrent use.
type memory struct {
	pool   *batch.Pool
	budget *batch.Budget

	mu       sync.Mutex
	accounts map[int32]*batch.Account // by partition; guarded by mu
}

// newMemory returns the memory of a Fetcher. onFree is called when memory is
// freed after a poller found too little.
func newMemory(cfg *Config, onFree func()) *memory {
	m := &memory{
		pool:     batch.NewPool(int(min(int64(cfg.MaxBytes), cfg.MaxMemory/4))),
		accounts: make(map[int32]*batch.Account),
	}
	m.budget = batch.NewBudget(cfg.MaxMemory, m.pool, onFree)
	return m
}

// keepUnusedFor sets how much unused memory to keep, for a number of brokers.
func (m *memory) keepUnusedFor(brokers int, cfg *Config) {
	m.pool.SetLimit(int(min(int64(brokers)*int64(cfg.MaxBytes), cfg.MaxMemory/4)))
}

// account returns a partition's account.
func (m *memory) account(partition int32) *batch.Account {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[partition]
	if a == nil {
		a = batch.NewAccount(m.pool)
		m.accounts[partition] = a
	}
	return a
}

// disown does the work of Fetcher.Disown.
func (m *memory) disown(partition int32) {
	m.mu.Lock()
	a := m.accounts[partition]
	delete(m.accounts, partition)
	m.mu.Unlock()
	if a != nil {
		a.Close()
	}
}

// reserve sets how much the response to r may bring, and takes it from the budget.
// Needs cursorTable.mu.
func (m *memory) reserve(r *pollRequest, maxPartitionBytes int64) {
	message := r.message
	if r.beyond {
		// Other partitions may need it soon.
		message.maxBytes, message.maxWait = minPartitionBytes, min(message.maxWait, joinWait)
	} else {
		// The other pollers need some as well.
		message.maxBytes = int32(min(int64(message.maxBytes), max(m.budget.FetchRoom()/2, minPartitionBytes)))
		if r.held {
			message.maxBytes = min(message.maxBytes, heldBytes)
		}
	}
	r.reserved = min(int64(message.maxBytes), int64(len(r.cursors))*maxPartitionBytes)
	for _, c := range r.cursors {
		message.maxBytes = max(message.maxBytes, c.limit)
		r.reserved = max(r.reserved, c.needs())
	}
	m.budget.Reserve(r.reserved)
}
