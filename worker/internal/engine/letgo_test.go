package engine

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// A member whose transaction takes long to end gives partitions back at once, unless it
// has one of their ids.
func TestGivingBackWaitsForNoTransactionOfOthers(t *testing.T) {
	member := &transactions{commits: &committer{mu: signal.NewLock()}}
	member.idOf.Store(3)
	member.commits.mu.Lock() // the transaction is about to end
	member.letGo([]int32{0, 2})
	own := make(chan struct{})
	go func() {
		defer close(own)
		member.letGo([]int32{0, 3})
	}()
	select {
	case <-own:
		t.Error("the partition whose id the member has was given back during its transaction")
	case <-time.After(100 * time.Millisecond):
	}
	member.commits.mu.Unlock()
	<-own
}
