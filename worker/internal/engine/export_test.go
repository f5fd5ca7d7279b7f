package engine

import (
	"testing"
	"time"
)

// Memory returns the bytes of input that a worker's members hold.
func (e *Engine) Memory() (bytes int64) {
	for _, m := range e.members {
		if m.joined.Load() != nil {
			bytes += m.fetcher.Memory()
		}
	}
	return bytes
}

// LookAgainEvery has halted partitions looked at again after d, for workers that
// are started after it.
func LookAgainEvery(t testing.TB, d time.Duration) {
	old := lookAgainInterval
	lookAgainInterval = d
	t.Cleanup(func() { lookAgainInterval = old })
}
