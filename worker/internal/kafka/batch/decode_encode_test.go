package batch

import (
	"testing"
)

// setOf returns a set over data as if it had been asked for from offset on.
func setOf(t testing.TB, data []byte, offset int64, aborted ...AbortedTransaction) (*Set, *Pool) {
	t.Helper()
	pool := NewPool(64 << 20)
	raw := pool.Get(len(data))
	n := copy(raw.data, data)
	src := Source{Topic: "orders", Partition: 3, Offset: offset, ReadCommitted: true, Aborted: aborted, Pool: pool}
	return NewSet(src, raw.data[:n], raw), pool
}
