package produce

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// smallestBatchLimit is the lowest limit. A batch with a single record may be larger.
const smallestBatchLimit = 1 << 10

// batchLimit holds the largest size of a batch of several records, before
// compression, that a topic accepts as far as is known. The size that
// max.message.bytes allows depends on the compression of the records, so the limit is
// found by trial: a refusal halves it, and smaller and smaller steps raise it until
// the next one would bring little. It may rise again when the topic's metadata is
// refreshed, since the topic's configuration may have changed.
type batchLimit struct {
	limit atomic.Int64 // 0 is none

	mu sync.Mutex
	// refused is the smallest refused size, stored the largest stored size below it;
	// 0 is none. Guarded by mu.
	refused, stored int
	tried           time.Time // when refused was forgotten last; guarded by mu
}

// bytes returns the limit.
func (l *batchLimit) bytes() int {
	if n := l.limit.Load(); n > 0 {
		return int(n)
	}
	return math.MaxInt
}

// refuse lowers the limit after a batch of several records of this size was too large.
func (l *batchLimit) refuse(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tried.IsZero() {
		l.tried = time.Now()
	}
	if l.refused == 0 || size < l.refused {
		l.refused = size
	}
	if l.stored >= size {
		l.stored = 0
	}
	// A larger batch is older than the limit.
	if limit := l.bytes(); size/9 <= limit/8 {
		l.limit.Store(int64(max(size/2, l.stored, smallestBatchLimit)))
	}
}

// accept raises the limit if a batch of this size, now stored, comes close to it.
func (l *batchLimit) accept(size int) {
	if l.limit.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused == 0 || size < l.refused {
		l.stored = max(l.stored, size)
	}
	limit := int(l.limit.Load())
	switch {
	case size < limit-limit/8: // no evidence about larger ones
	case l.refused == 0:
		l.limit.Store(int64(min(2*limit, math.MaxInt32)))
	case l.refused-limit > limit/8:
		l.limit.Store(int64(limit + (l.refused-limit)/2))
	}
}

// tryAgain lets the limit rise again, at most once in each interval.
func (l *batchLimit) tryAgain(now time.Time, interval time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit.Load() > 0 && now.Sub(l.tried) >= interval {
		l.refused, l.tried = 0, now
	}
}
