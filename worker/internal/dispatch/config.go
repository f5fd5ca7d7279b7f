package dispatch

import (
	"context"
	"errors"
	"time"
)

// ErrOverrun is the error of an attempt that took longer than its timeout.
var ErrOverrun = errors.New("the attempt overran its timeout")

// Worker is one goroutine's view of the engine: the user's code and the state that
// is reused from record to record. One goroutine at a time calls its methods. A
// goroutine that overruns its deadline and does not return keeps its Worker, and the
// pool makes a new one.
type Worker interface {
	// Process runs one attempt for each item and keeps the results until Finish.
	// ctx ends when the attempt's timeout has passed or the pool is closed.
	Process(ctx context.Context, items []Item)
	// Expire gives all items the result err. The pool calls it after an attempt
	// that overran its timeout, whether Process returned or not.
	Expire(items []Item, err error)
	// Finish delivers the result of items[k]. The pool calls it once for each item,
	// in their order, but skips an item that follows a failed one in its lane and
	// has to be tried again with it.
	Finish(k int, it Item) Verdict
}

// Verdict says what happens to an item after an attempt. The zero Verdict means that
// the item needs no further attempt.
type Verdict struct {
	// Again asks for another attempt, after the wait After.
	Again bool
	After time.Duration
	// Together says that the attempt failed as a whole: the next one has at most
	// half as many items. All items that failed together get the same After, so
	// that the pool can try them together again.
	Together bool
}

// Config sets up a Pool.
type Config struct {
	// Goroutines is the number of records (or batches) in an attempt at once,
	// until Resize changes it.
	Goroutines int
	// BatchSize is the largest number of items in a call of Process: 1 for a
	// Processor.
	BatchSize int
	// BatchBytes bounds the bytes of the records in a call of several; 0 sets no bound.
	BatchBytes int
	// Linger is how long records wait until BatchSize of them can share a call.
	Linger time.Duration
	// Timeout bounds one attempt; 0 sets no bound.
	Timeout time.Duration
	// NewWorker makes the state of one goroutine.
	NewWorker func() Worker
	// Observe learns after each claim that its n records took d together.
	Observe func(d time.Duration, n int)
	// Waits learns of each item that waits for another attempt; nil is allowed.
	// Until that attempt, the pool reads the item's record only under the lock that
	// Still takes.
	Waits func(Item)
	// MaxLost returns the largest number of goroutines that may be lost at a time.
	// A goroutine is lost while its attempt has overrun the timeout and not
	// returned. The pool replaces each, but can't end it.
	MaxLost func() int
	// OnLost learns of each lost goroutine; lost counts those that are lost at the
	// moment.
	OnLost func(lost int)
	// OnOverload is called once, when an attempt does not return and MaxLost
	// goroutines are lost already. The pool replaces no more of them.
	OnOverload func(error)
}
