package kafka

import (
	"testing"
)

// setOf returns a set over data as if it had been asked for from offset on.
func setOf(t testing.TB, data []byte, offset int64, aborted ...abortedTransaction) (*Set, *bufferPool) {
	t.Helper()
	pool := newBufferPool(64 << 20)
	raw := pool.get(len(data))
	n := copy(raw.data, data)
	src := setSource{topic: "orders", partition: 3, offset: offset, readCommitted: true, aborted: aborted, pool: pool}
	return newSet(src, raw.data[:n], raw), pool
}
