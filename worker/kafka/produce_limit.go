package kafka

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// smallestBatchLimit is the lowest limit. A batch with a single record may be larger.
const smallestBatchLimit = 1 << 10

// batchLimit holds the largest size of a batch of several records, before
// compression, that a topic is known to take. What max.message.bytes allows
// depends on how well the records compress, so it is found by trying: halved at a
// refusal, and then raised by ever smaller steps until the next one would bring
// little. It is tried again when the topic's metadata is refreshed, since the
// topic's configuration may have changed.
type batchLimit struct {
	limit atomic.Int64 // 0 is none

	mu sync.Mutex
	// refused is the smallest size that was refused, stored the largest below
	// it that was stored; 0 is none. Guarded by mu.
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

// refuse notes that a batch of several records of this size was too large.
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
	// A larger one was gathered before the limit was known.
	if limit := l.bytes(); size/9 <= limit/8 {
		l.limit.Store(int64(max(size/2, l.stored, smallestBatchLimit)))
	}
}

// accept notes that a batch of this size was stored.
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
	case size < limit-limit/8: // it says nothing about larger ones
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
