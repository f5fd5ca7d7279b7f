package dispatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Pool runs queued records on its goroutines. It is safe for concurrent use.
type Pool struct {
	cfg     Config
	started time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	stopped atomic.Bool    // ctx is done; cheap enough to read for each record
	running sync.WaitGroup // the watchdog and the goroutines that are not lost

	watchdog watchdog

	mu      sync.Mutex
	closed  bool
	crew    crew
	backlog backlog
	linger  linger
}

// New starts a pool.
func New(cfg Config) *Pool {
	p := newPool(cfg)
	p.Resize(cfg.Goroutines)
	p.running.Add(1)
	go p.watchdog.run()
	return p
}

// newPool returns a pool without goroutines.
func newPool(cfg Config) *Pool {
	p := &Pool{cfg: cfg, started: time.Now()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.watchdog.init(p)
	p.crew.init(&p.mu, p.started)
	p.backlog = backlog{crew: &p.crew, batchSize: cfg.BatchSize, light: claimTime / maxClaim}
	return p
}

// Push queues chunks. The caller bounds how much it pushes; Push never blocks for
// long. Only one goroutine at a time may push chunks of the same Lanes.
func (p *Pool) Push(chunks ...*Chunk) {
	for _, c := range chunks {
		if c.Lanes != nil && c.Lanes.spread {
			c.link(0) // without the lock: the pool itself links only chunks in a trunk
		}
	}
	records, limited := 0, false
	p.mu.Lock()
	for _, c := range chunks {
		records += len(c.Records)
		limited = limited || c.Limit > 0
		p.backlog.add(c)
	}
	switch {
	case limited:
		p.endLinger()
	case p.cfg.Linger > 0:
		p.linger.arrived(time.Now())
	}
	p.crew.wakeFor(records)
	p.mu.Unlock()
}

// Still runs f while the pool reads no record that waits for another attempt.
func (p *Pool) Still(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// Busy returns how long the pool has been working, with all of its goroutines
// counted as one. Its growth in a span of time is the saturation.
func (p *Pool) Busy() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crew.usage.total(time.Now())
}

// Attempts returns a number that changes with every attempt that ends, and reports
// whether an attempt is under way. The watchdog ends attempts that take too long.
func (p *Pool) Attempts() (count uint64, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crew.attempts()
}

// Resize sets the number of goroutines to n, at least 1. New goroutines begin at
// once; surplus ones end after their claims. No claim is cut short, and any
// goroutine can run any lane, so the order of records stays.
func (p *Pool) Resize(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = max(n, 1)
	if p.closed || n == p.crew.size {
		return
	}
	for _, r := range p.crew.resize(n, func() *runner { return newRunner(p) }) {
		p.running.Add(1)
		go r.run(r.current.Load())
	}
}

// Size returns the number of goroutines that Resize or Config has set.
func (p *Pool) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crew.size
}

// Close cancels the contexts of the attempts under way, ends the goroutines after
// these attempts, and waits for them until ctx is done. Close drops the records that
// are queued.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.crew.wake.Broadcast()
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

// claim ends r's claim, waits for work and claims some for r. It returns false if
// the pool is closed or has too many goroutines; r has no claim then.
func (p *Pool) claim(r *runner) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unparkLater(p.backlog.endClaim(&r.claim, r.perRecord))
	r.claims++
	for {
		if p.closed {
			return false
		}
		if p.crew.tooMany() {
			p.crew.remove(r, p.backlog.queued > 0)
			return false
		}
		if !p.lingers() && p.fill(r) {
			return true
		}
		p.crew.wait(r)
	}
}

// fill claims records for r and reports whether there are any.
func (p *Pool) fill(r *runner) bool {
	p.backlog.fill(&r.claim, r.perRecord)
	if p.cfg.Linger > 0 && len(r.claim.items) > 0 {
		p.linger.taken(p.backlog.queued, time.Now())
	}
	return len(r.claim.items) > 0
}

// retryLater queues items without an order again, after a wait.
func (p *Pool) retryLater(items []Item, after time.Duration) {
	time.AfterFunc(after, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.backlog.retry(items)
		p.endLinger()
	})
}

// unparkLater makes parked lanes ready when their waits are over. Lanes with the same
// wait, whose records failed together, become ready together, so that their records
// can share an attempt again.
func (p *Pool) unparkLater(parked []turn) {
	slices.SortStableFunc(parked, func(a, b turn) int { return cmp.Compare(a.after, b.after) })
	for len(parked) > 0 {
		n := 1
		for n < len(parked) && parked[n].after == parked[0].after {
			n++
		}
		same := parked[:n:n]
		parked = parked[n:]
		time.AfterFunc(same[0].after, func() { p.unpark(same) })
	}
}

func (p *Pool) unpark(turns []turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range turns {
		p.backlog.makeReady(t.lane)
	}
	p.endLinger()
}
