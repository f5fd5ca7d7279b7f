package batch

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// The pooled sizes are the powers of two from 4 KiB to 4 MiB. Larger buffers are rare (a
// log batch above the broker's usual limit); the garbage collector frees them.
const (
	minBufferBits = 12
	maxBufferBits = 22
	bufferClasses = maxBufferBits - minBufferBits + 1
)

// MaxPooled is the size of the largest buffers that a pool keeps.
const MaxPooled = 1 << maxBufferBits

// Buffer is memory that several holders share. The last one to release it gives
// it back to its pool, from any goroutine.
type Buffer struct {
	data  []byte
	refs  atomic.Int32
	pool  *Pool
	owner *Account    // charged for it; nil for none
	lost  atomic.Bool // not to be used again
	size  int         // bytes beside data that count
}

// Bytes returns the memory. It is valid until the last holder releases the buffer.
func (b *Buffer) Bytes() []byte { return b.data }

// retain adds a holder; the caller must be one already.
func (b *Buffer) retain() { b.refs.Add(1) }

// Release gives up one hold. The caller must not use the bytes afterwards.
func (b *Buffer) Release() {
	switch left := b.refs.Add(-1); {
	case left == 0:
		b.charge(-len(b.data), -b.size)
		b.owner = nil
		b.pool.put(b)
	case left < 0:
		// To go on would give one block of memory to two owners and mix up their records.
		panic("kafka: a fetch buffer was released twice")
	}
}

// Pool keeps released buffers for reuse. Unlike sync.Pool, it is bounded in bytes and
// keeps its buffers across garbage collections, so the steady state allocates nothing.
type Pool struct {
	mu    sync.Mutex
	free  [bufferClasses][]*Buffer // guarded by mu
	held  int                      // bytes in free; guarded by mu
	limit int                      // bound of held; guarded by mu

	used   atomic.Int64 // bytes that are handed out
	budget *Budget      // nil: used has no bound
}

// NewPool returns a pool that keeps up to limit bytes of unused buffers.
func NewPool(limit int) *Pool { return &Pool{limit: limit} }

// SetLimit changes how many bytes of unused buffers are kept.
func (p *Pool) SetLimit(limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = limit
	p.evict(0)
}

// Used returns the bytes that are handed out.
func (p *Pool) Used() int64 { return p.used.Load() }

// Unused returns the bytes that are kept for reuse.
func (p *Pool) Unused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// Get returns a buffer of at least n bytes with one holder. Its content is
// arbitrary.
func (p *Pool) Get(n int) *Buffer { return p.GetFor(nil, n) }

// GetFor is Get, and charges owner for the buffer until it is released.
func (p *Pool) GetFor(owner *Account, n int) *Buffer {
	class, b := bufferClass(n), (*Buffer)(nil)
	n = BufferSize(n)
	if class < bufferClasses {
		b = p.take(class)
	}
	if b == nil {
		p.makeRoom(n)
		b = &Buffer{data: make([]byte, n), pool: p}
	}
	b.refs.Store(1)
	b.owner = owner
	b.charge(len(b.data), 0)
	return b
}

// charge counts bytes of data, and of a detached record, as in use, negative ones
// as not in use any more.
func (b *Buffer) charge(data, copied int) {
	if b.owner != nil {
		b.owner.charge(data+copied, copied)
	} else {
		b.pool.used.Add(int64(data + copied))
	}
}

func (p *Pool) take(class int) *Buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.free[class]
	if len(list) == 0 {
		return nil
	}
	b := list[len(list)-1]
	list[len(list)-1] = nil
	p.free[class] = list[:len(list)-1]
	p.held -= len(b.data)
	return b
}

func (p *Pool) put(b *Buffer) {
	p.keep(b)
	if p.budget != nil {
		p.budget.freed()
	}
}

func (p *Pool) keep(b *Buffer) {
	class := bufferClass(len(b.data))
	if class >= bufferClasses || b.lost.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(b.data) > p.mayKeep() {
		return
	}
	p.evict(len(b.data))
	p.free[class] = append(p.free[class], b)
	p.held += len(b.data)
}

// makeRoom drops unused buffers for a new one of n bytes, if there is a budget
// for all together.
func (p *Pool) makeRoom(n int) {
	if p.budget == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.evict(n)
}

// mayKeep returns how many bytes of unused buffers may be kept at the moment.
// Needs mu.
func (p *Pool) mayKeep() int {
	if p.budget == nil {
		return p.limit
	}
	return min(p.limit, int(max(p.budget.limit-p.used.Load(), 0)))
}

// evict drops buffers until n more bytes fit, from the class that holds the most: sizes
// that are no longer used must not displace the others. The caller holds mu.
func (p *Pool) evict(n int) {
	limit := p.mayKeep()
	for p.held > 0 && p.held+n > limit {
		most, bytes := 0, 0
		for class, list := range p.free {
			if size := len(list) << (minBufferBits + class); size > bytes {
				most, bytes = class, size
			}
		}
		list := p.free[most]
		p.held -= len(list[len(list)-1].data)
		list[len(list)-1] = nil
		p.free[most] = list[:len(list)-1]
	}
}

// BufferSize returns the size of the buffer that Get returns for n bytes.
func BufferSize(n int) int {
	if class := bufferClass(n); class < bufferClasses {
		return 1 << (minBufferBits + class)
	}
	return n
}

// bufferClass returns the class whose buffers hold n bytes, bufferClasses or
// above if none does.
func bufferClass(n int) int {
	if n <= 1<<minBufferBits {
		return 0
	}
	return bits.Len(uint(n-1)) - minBufferBits
}
