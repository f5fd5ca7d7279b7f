package engine

import (
	"testing"
	"time"
)

// LookAgainEvery has halted partitions looked at again after d, for workers that
// are started after it.
func LookAgainEvery(t testing.TB, d time.Duration) {
	old := lookAgainInterval
	lookAgainInterval = d
	t.Cleanup(func() { lookAgainInterval = old })
}
