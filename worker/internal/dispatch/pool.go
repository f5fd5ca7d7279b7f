package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrOverrun is the error of an attempt that took longer than its timeout.
var ErrOverrun = errors.New("the attempt overran its timeout")

// Worker is one goroutine's view of the engine: the user's code and the state
// that is reused from record to record. Its methods are called by one
// goroutine at a time; a goroutine that overran its deadline keeps its Worker
// and the pool makes a new one.
type Worker interface {
	// Process runs one attempt for each item and keeps the results until
	// Finish. ctx ends when the attempt's timeout has passed or the pool is
	// closed.
	Process(ctx context.Context, items []Item)
	// Expire stands in for Process when the attempt never returned.
	Expire(items []Item, err error)
	// Finish delivers the result of items[k], once, in order.
	Finish(k int, it Item) Verdict
}

// Config sets up a Pool.
type Config struct {
	// Goroutines is the number of records (or batches) in an attempt at once,
	// until Resize changes it.
	Goroutines int
	// BatchSize is how many items Process takes at most; 1 for a Processor.
	BatchSize int
	// Timeout bounds one attempt; 0 is no bound.
	Timeout time.Duration
	// NewWorker makes the state of one goroutine.
	NewWorker func() Worker
	// Observe is told that n records took d together.
	Observe func(d time.Duration, n int)
	// Waits is called for each item that is to be tried again; nil is allowed. From
	// then on until the next attempt, the pool reads the item's record only under the
	// lock that Still takes.
	Waits func(Item)
	// MaxLost returns the bound on the goroutines that are lost at a time: those
	// whose attempt overran its timeout and has not returned. The pool replaces
	// each, but can't end it.
	MaxLost func() int
	// OnLost is called each time that a goroutine is lost, with the number of those
	// that are lost at the moment.
	OnLost func(lost int)
	// OnOverload is called once when an attempt does not return and MaxLost
	// goroutines are lost already: the pool replaces no more of them.
	OnOverload func(error)
}

// Pool runs queued records on its goroutines. It is safe for concurrent use.
type Pool struct {
	cfg     Config
	started time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	stopped atomic.Bool               // ctx is done, in a form that is cheap to ask for each record
	runners atomic.Pointer[[]*runner] // replaced, never changed, under mu
	running sync.WaitGroup            // the watchdog and the goroutines that still count

	overrun, gone error        // of an attempt that overran and returned, or did not return
	lost          atomic.Int32 // goroutines whose attempt overran and has not returned
	overload      sync.Once

	mu      sync.Mutex
	wake    sync.Cond
	chunks  queue[*Chunk] // Unordered, not fully claimed
	retries queue[Item]   // without an order, due again
	ready   queue[*lane]  // lanes with work and no runner
	queued  int           // records in chunks, retries and ready lanes
	closed  bool
	usage   usage
	size    int    // how many goroutines there are to be
	left    uint64 // attempts of goroutines that have left
	idle    int    // goroutines that wait for work
	// perRecord is how long a record took one of the goroutines of late; 0 if
	// that is not known yet. With at most light, records need not be spread.
	perRecord, light time.Duration
}

// New starts a pool.
func New(cfg Config) *Pool {
	p := &Pool{cfg: cfg, started: time.Now(), light: claimTime / maxClaim}
	p.wake.L = &p.mu
	p.overrun = fmt.Errorf("%w of %s", ErrOverrun, cfg.Timeout)
	p.gone = fmt.Errorf("%w and did not return; a processor must return when its context is done", p.overrun)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.runners.Store(&[]*runner{})
	p.usage.start(p.started)
	p.Resize(cfg.Goroutines)
	p.running.Add(1)
	go p.watch()
	return p
}

// Push queues chunks. The caller bounds how much it pushes; Push never
// blocks for long. Chunks of the same Lanes are pushed by one goroutine at a time.
func (p *Pool) Push(chunks ...*Chunk) {
	for _, c := range chunks {
		if c.Lanes != nil && c.Lanes.branched {
			c.link(0) // without the lock: others link only what is in a trunk
		}
	}
	records := 0
	p.mu.Lock()
	for _, c := range chunks {
		records += len(c.Records)
		if c.Lanes == nil {
			p.chunks.push(c)
			p.queued += len(c.Records)
		} else {
			p.pushLanes(c)
		}
	}
	p.wakeFor(records)
	p.mu.Unlock()
}

// wakeFor wakes as many goroutines as n records can occupy.
func (p *Pool) wakeFor(n int) {
	if n >= p.size {
		p.wake.Broadcast()
		return
	}
	for range n {
		p.wake.Signal()
	}
}

// retry queues items that have no order again.
func (p *Pool) retry(items []Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range items {
		p.retries.push(it)
	}
	p.queued += len(items)
	p.wakeFor(len(items))
}

// unpark makes lanes whose backoff is over ready again.
func (p *Pool) unpark(turns []turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range turns {
		p.makeReady(t.lane)
	}
}

func (p *Pool) makeReady(l *lane) {
	l.to(laneReady)
	p.ready.push(l)
	p.queued += l.waiting
	p.wake.Signal()
}

// Still runs f while the pool reads no record that waits for another attempt.
func (p *Pool) Still(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// Busy returns for how long the pool has been working, with all of its goroutines
// counted as one. Its growth in a span of time is the saturation.
func (p *Pool) Busy() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.usage.total(time.Now())
}

// Close ends the goroutines after the attempts they are in, whose contexts are
// cancelled, and waits for them until ctx is done. What is queued is dropped.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.wake.Broadcast()
	p.mu.Unlock()
	p.stopped.Store(true)
	p.cancel()
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("some attempts did not return after their context was cancelled")
	}
}
