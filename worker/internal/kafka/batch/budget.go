package batch

import (
	"sync"
	"sync/atomic"
	"time"
)

// Budget bounds the memory of one Fetcher's records: requests under way, sets that wait
// to be decoded, unpacked batches, and memory that unreleased records keep alive.
//
// The share of a partition depends on the free memory: a partition may hold as much as it
// leaves free (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory
// packet switches", 1998), so one partition whose records are stuck takes half, and the
// next one half of the rest. A partition that has nothing to process, or less than its
// own part, may take one log batch even if no memory is free. Only one partition at a
// time may do so.
type Budget struct {
	limit int64
	pool  *Pool

	reserved atomic.Int64 // bytes that requests under way may bring
	encoded  atomic.Int64 // bytes of sets that wait to be decoded or unpacked
	starved  atomic.Bool  // a reader waits for memory
	onFree   func()       // runs in a new goroutine when starved ends

	mu       sync.Mutex
	exceeds  *Account  // may go beyond the limit; guarded by mu
	exceeded time.Time // since when; guarded by mu
}

// NewBudget returns a budget of limit bytes for the buffers that pool hands out. onFree
// runs in a new goroutine when memory is freed after Starve.
func NewBudget(limit int64, pool *Pool, onFree func()) *Budget {
	pool.budget = &Budget{limit: limit, pool: pool, onFree: onFree}
	return pool.budget
}

// BatchLimit returns how many bytes a log batch may hold unpacked.
func (m *Budget) BatchLimit() int { return int(max(m.limit, minBatchMemory)) }

// Reserve sets bytes aside for a request under way; a negative number gives them back.
func (m *Budget) Reserve(bytes int64) { m.reserved.Add(bytes) }

// Encoded returns the bytes of sets that wait to be decoded or unpacked.
func (m *Budget) Encoded() int64 { return m.encoded.Load() }

// Starve notes that a reader waits for memory, so that onFree is called when some is
// freed.
func (m *Budget) Starve() { m.starved.Store(true) }

// Short reports whether so little memory is left that reading may have to wait.
func (m *Budget) Short() bool { return m.starved.Load() || m.free() < m.limit/4 }

// HasRoom reports whether bytes are free and unpacking them leaves room for more.
func (m *Budget) HasRoom(bytes int) bool {
	return m.pool.Used()+int64(bytes) <= m.limit/encodedShare && m.free() >= int64(bytes)
}

// Account counts the bytes of the budget that one partition holds.
type Account struct {
	pool *Pool
	// Batch is the size of the largest log batch of the last answer, in bytes. Only the
	// reader uses it.
	Batch int64

	mu     sync.Mutex
	held   atomic.Int64 // changed under mu
	copies atomic.Int64 // of held: detached records; changed under mu
	closed bool         // guarded by mu

	encoded atomic.Int64 // bytes of sets that wait to be decoded or unpacked

	// The sizes of the log batch that was unpacked last.
	packedSize, unpackedSize atomic.Int64
}

// NewAccount returns an account for memory of pool.
func NewAccount(pool *Pool) *Account { return &Account{pool: pool} }

// unpacked notes the sizes of a log batch that was unpacked.
func (a *Account) unpacked(packed, unpacked int) {
	a.packedSize.Store(int64(packed))
	a.unpackedSize.Store(int64(unpacked))
}

// wouldUnpack returns how many bytes a log batch unpacks to if it is like the last
// one, and at most as many as that one; 0 is unknown.
func (a *Account) wouldUnpack(packed int) int {
	before, bytes := a.packedSize.Load(), a.unpackedSize.Load()
	if before == 0 {
		return 0
	}
	return int(bytes * min(int64(packed), before) / before)
}

// charge adds to the bytes that a and its pool have in use; copies says how many of
// them are those of detached records.
func (a *Account) charge(bytes, copies int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.held.Add(int64(bytes))
		a.copies.Add(int64(copies))
		a.pool.used.Add(int64(bytes))
	}
}

// InWork reports whether a holds more than records that wait for another attempt,
// which may take long.
func (a *Account) InWork() bool { return a.held.Load() > a.copies.Load() }

// Close stops counting the account's memory, which nobody will release: the garbage
// collector frees it.
func (a *Account) Close() {
	a.mu.Lock()
	a.pool.used.Add(-a.held.Swap(0))
	a.copies.Store(0)
	a.closed = true
	a.mu.Unlock()
	if a.pool.budget != nil {
		a.pool.budget.freed()
	}
}

// ExceedFor is the time for which a partition that exceeds the limit keeps others from
// doing so. After that they need not wait for a partition that is stuck.
const ExceedFor = time.Second

// Sets that wait to be decoded or unpacked may fill one encodedShare-th of the
// budget. The rest is for unpacking, without which nothing would move.
const encodedShare = 2

// minBatchMemory is the size that a log batch may unpack to even if the limit is
// lower: a usual batch of a megabyte that compresses well may be as large.
const minBatchMemory = 16 << 20

// free returns the bytes that are not in use or reserved; it may be negative.
func (m *Budget) free() int64 { return m.limit - m.pool.used.Load() - m.reserved.Load() }

// FetchRoom returns how many bytes may be fetched now, for all partitions.
func (m *Budget) FetchRoom() int64 {
	return min(m.free(), m.limit/encodedShare-m.encoded.Load()-m.reserved.Load())
}

// FetchShare returns how many more bytes a partition may fetch, of n partitions that
// share the budget.
func (m *Budget) FetchShare(a *Account, n int) int64 {
	return max(m.own(n), m.free()) - a.held.Load()
}

// own returns the part of a quarter of the budget that is reserved for each of n
// partitions.
func (m *Budget) own(n int) int64 { return m.limit / int64(4*max(n, 1)) }

// MayUnpack reports whether a partition may unpack a log batch that needs so many bytes.
// Its encoded sets do not count, since only unpacking frees them.
func (m *Budget) MayUnpack(a *Account, need int64, n int, lone bool) bool {
	inWork, own, free := a.held.Load()-a.encoded.Load(), m.own(n), m.free()
	if free >= need && inWork < max(own, free) {
		return true
	}
	return (lone || inWork < own) && m.Exceed(a)
}

// allows reports whether bytes more may be used for a: they are free, or a may go
// beyond the limit. a may be nil.
func (m *Budget) allows(a *Account, bytes int) bool {
	if m.free() >= int64(bytes) {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return a == nil || m.exceeds == a
}

// Exceed reports whether a may go beyond the limit. The caller makes sure that a's
// partition has little or nothing in flight.
func (m *Budget) Exceed(a *Account) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.exceeds != a && m.taken() {
		return false
	}
	if m.exceeds != a {
		m.exceeds, m.exceeded = a, time.Now()
	}
	return true
}

// MayExceed reports whether a partition without work may go beyond the limit.
func (m *Budget) MayExceed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.taken()
}

// taken reports whether a partition has gone beyond the limit within ExceedFor, and
// still has work. Needs mu.
func (m *Budget) taken() bool {
	return m.exceeds != nil && m.exceeds.InWork() && time.Since(m.exceeded) < ExceedFor
}

// freed notes that memory was given back. It may be called with any lock held.
func (m *Budget) freed() {
	if m.starved.Load() && m.starved.CompareAndSwap(true, false) {
		go m.onFree()
	}
}
