package engine

import (
	"sync"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// mailbox is the way from every other goroutine to a member's feeder. Its methods
// never block.
type mailbox struct {
	wake signal.Signal // the feeder has something to look at
	// blocked is set while the feeder waits for records to settle.
	blocked atomic.Bool

	mu     sync.Mutex
	posted []func(*feeder) // for the feeder to run; guarded by mu
}

func newMailbox() *mailbox { return &mailbox{wake: signal.New()} }

// post has the feeder call do.
func (b *mailbox) post(do func(*feeder)) {
	b.mu.Lock()
	b.posted = append(b.posted, do)
	b.mu.Unlock()
	b.wake.Notify()
}

// progressed wakes a feeder that waits for records to settle.
func (b *mailbox) progressed() {
	if b.blocked.Load() {
		b.wake.Notify()
	}
}

// takePosted returns the posted functions that no earlier call has returned.
func (b *mailbox) takePosted() []func(*feeder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	posted := b.posted
	b.posted = nil
	return posted
}
