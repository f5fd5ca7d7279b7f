package dispatch

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	watchInterval = 5 * time.Millisecond
	// slow is how long one attempt may take, or all attempts of a claim together,
	// before the claim's unstarted items go to other goroutines. A claim whose
	// records take as long as earlier ones did needs a twentieth of it.
	slow = 2 * watchInterval
)

// watchdog looks after long attempts. It reads the runners' states now and then, so
// that no attempt needs a timer. Its goroutine alone calls its methods.
type watchdog struct {
	pool *Pool
	// errOverran is the result of an attempt that overran its timeout and returned,
	// errGone that of one that did not return.
	errOverran, errGone error
	// lost counts the goroutines whose attempt overran and has not returned. They
	// lower it themselves when they return.
	lost     atomic.Int32
	overload sync.Once
}

// sighting is when the watchdog saw an attempt first.
type sighting struct {
	number uint64
	since  time.Time
	freed  bool // the unstarted items of its claim went to others
}

func (w *watchdog) init(p *Pool) {
	w.pool = p
	w.errOverran = fmt.Errorf("%w of %s", ErrOverrun, p.cfg.Timeout)
	w.errGone = fmt.Errorf("%w and did not return; a processor must return when its context is done", w.errOverran)
}

// run watches the runners until the pool is closed.
func (w *watchdog) run() {
	defer w.pool.running.Done()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-w.pool.ctx.Done():
			return
		case now := <-ticker.C:
			for _, r := range *w.pool.crew.runners.Load() {
				w.inspect(r, &r.lastSeen, now)
			}
		}
	}
}

// inspect frees the unstarted items of a slow claim, ends the context of an attempt
// that overruns its timeout, and abandons an attempt that does not return soon after.
func (w *watchdog) inspect(r *runner, seen *sighting, now time.Time) {
	ctx := r.current.Load().ctx.Load()
	state := r.state.Load()
	number, phase := state/numbers, state%numbers
	if phase == 0 || number != seen.number {
		*seen = sighting{number: number, since: now}
		ctx.sighted(*seen)
		if phase == running && now.Sub(w.pool.started)-time.Duration(r.claimedAt.Load()) >= slow {
			seen.freed = w.freeUnstarted(r, state)
		}
		return
	}
	// The watchdog has seen this attempt before, so ctx belongs to it: a goroutine
	// exchanges its context only between attempts.
	ran, timeout := now.Sub(seen.since), w.pool.cfg.Timeout
	if ran >= slow && !seen.freed {
		seen.freed = w.freeUnstarted(r, state)
		return
	}
	if timeout == 0 || ran < timeout {
		return
	}
	if phase == running && r.state.CompareAndSwap(state, state-running+expired) {
		ctx.expire()
		return
	}
	if grace := max(timeout/10, 2*watchInterval); phase == expired && ran >= timeout+grace {
		w.abandon(r, state)
	}
}

// freeUnstarted returns the unstarted items of r's claim to the backlog, except those
// that must not overtake the attempt under way. It returns false if the attempt has
// ended.
func (w *watchdog) freeUnstarted(r *runner, state uint64) bool {
	if !r.state.CompareAndSwap(state, state|locked) {
		return false
	}
	w.pool.mu.Lock()
	w.pool.unparkLater(w.pool.backlog.returnUnstarted(&r.claim))
	w.pool.endLinger()
	w.pool.mu.Unlock()
	r.state.Store(state)
	return true
}

// abandon takes the runner away from a goroutine that does not return, and goes on
// with another goroutine. Go can't end the lost one, so the memory that it reads is
// never reused, and at most MaxLost goroutines may be lost at a time.
func (w *watchdog) abandon(r *runner, state uint64) {
	if limit := w.pool.cfg.MaxLost(); int(w.lost.Load()) >= limit {
		w.overload.Do(func() {
			w.pool.cfg.OnOverload(fmt.Errorf("%d goroutines are lost to attempts that overran their timeout of %s and never returned; "+
				"correct the processor, it must return when its context is done", limit, w.pool.cfg.Timeout))
		})
		return
	}
	if !r.state.CompareAndSwap(state, state-expired+numbers) {
		return
	}
	w.pool.cfg.OnLost(int(w.lost.Add(1)))
	r.claim.ownItems()
	items := r.claim.attempted()
	for _, it := range items {
		it.Chunk.leaked.Store(true)
	}
	s := newSession(r)
	r.current.Store(s)
	s.worker.Expire(items, w.errGone)
	go r.resume(s)
}
