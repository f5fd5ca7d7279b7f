package dispatch

import (
	"runtime"
	"sync/atomic"
	"time"
)

// turn is one lane's part in a claim.
type turn struct {
	lane  *lane
	after time.Duration // how long the lane is to be parked
}

// runner is one of the pool's goroutines and its claim. The goroutine owns
// every field; when the watchdog abandons an attempt, the claim passes to the
// goroutine that replaces it.
type runner struct {
	pool    *Pool
	current atomic.Pointer[session]

	items     []Item
	lanes     []turn
	pos       int           // items before it are finished
	group     int           // items of the attempt under way: items[pos:pos+group]
	perRecord time.Duration // moving average

	due  []Item        // without an order, to be tried again after wait
	wait time.Duration // for due

	claims  uint64 // counts the goroutine's claims; guarded by Pool.mu
	waiting bool   // for work, with nothing claimed; guarded by Pool.mu

	seen sighting // by the watchdog, which alone uses it
	// claimed is when the goroutine began to work on the claim, as the time
	// since the pool's start.
	claimed atomic.Int64
	// state is the attempt's number and phase; see phase.
	state atomic.Uint64
	// Runners are allocated next to each other: without a cache line between
	// them the state of one would slow down another with each record.
	_ [64]byte
}

// phase is what the low bits of a runner's state say; the rest numbers its
// attempts. The goroutine begins an attempt by adding running, the watchdog
// moves running to expired, and whoever moves either to the next number's idle
// has ended the attempt and owns the runner. While locked is set the watchdog
// is rearranging the claim and the attempt can't end.
type phase = uint64

const (
	running phase = 1
	expired phase = 2
	locked  phase = 4
	numbers phase = 8 // one attempt's step
)

// session is what one goroutine hands to the user's code: it stays with a
// goroutine that never returned.
type session struct {
	worker Worker
	ctx    atomic.Pointer[attemptContext]
}

func newRunner(p *Pool) *runner {
	r := &runner{pool: p}
	r.state.Store(numbers) // number 0 is what the watchdog has seen before the first attempt
	r.current.Store(newSession(p))
	return r
}

func newSession(p *Pool) *session {
	s := &session{worker: p.cfg.NewWorker()}
	s.ctx.Store(newAttemptContext(p.ctx))
	return s
}

// run claims and processes until the pool is closed, has one goroutine too many,
// or abandons an attempt of this one.
func (r *runner) run(s *session) {
	for r.pool.claim(r) {
		start := time.Now()
		r.claimed.Store(int64(start.Sub(r.pool.started)))
		if !r.work(s) {
			return
		}
		r.observe(time.Since(start), len(r.items))
	}
	r.pool.running.Done()
}

// resume goes on after an abandoned attempt whose items have expired.
func (r *runner) resume(s *session) {
	r.finish(s)
	if r.work(s) {
		r.run(s)
	}
}

func (r *runner) observe(d time.Duration, n int) {
	each := d / time.Duration(n)
	if r.perRecord == 0 {
		r.perRecord = each
	}
	r.perRecord += (each - r.perRecord) / 4
	r.pool.cfg.Observe(d, n)
}

// work attempts what is left of the claim, group by group; false means that
// the watchdog has taken the claim away.
func (r *runner) work(s *session) bool {
	for {
		items := r.next()
		if len(items) == 0 {
			return true
		}
		if !r.try(s, items) {
			return false
		}
		r.finish(s)
	}
}

// next returns the next items that may be attempted together; those of a
// blocked or cancelled lane are set aside on the way.
func (r *runner) next() []Item {
	for r.pos < len(r.items) && !r.mayRun(r.items[r.pos]) {
		r.setAside(r.items[r.pos])
		r.pos++
	}
	n := min(1, len(r.items)-r.pos) // the first one has just been looked at
	if r.pool.cfg.BatchSize > 1 && n == 1 {
		for size := r.groupSize(); n < size && r.mayJoin(r.items[r.pos+n:]); {
			n++
		}
	}
	r.group = n
	return r.items[r.pos : r.pos+n]
}

// groupSize returns how many items may share the attempt of the next one.
func (r *runner) groupSize() int {
	if limit := r.items[r.pos].past.limit; limit > 0 {
		return int(limit)
	}
	return r.pool.cfg.BatchSize
}

// mayJoin reports whether the first of the items may share the attempt of the
// next one.
func (r *runner) mayJoin(items []Item) bool {
	return len(items) > 0 && items[0].past.limit == r.items[r.pos].past.limit && r.mayRun(items[0])
}

func (r *runner) mayRun(it Item) bool {
	blocked := it.lane != nil && len(it.lane.back) > 0
	return !blocked && !it.Chunk.Cancelled.Load() && !r.pool.stopped.Load()
}

func (r *runner) setAside(it Item) {
	if it.lane != nil && len(it.lane.back) > 0 {
		it.lane.back = append(it.lane.back, it)
	}
}

// try runs one attempt; false means that it was abandoned and nothing of the
// runner may be touched any more.
func (r *runner) try(s *session, items []Item) bool {
	begun := r.state.Add(running)
	s.worker.Process(s.ctx.Load(), items)
	switch r.endAttempt(begun - running) {
	case running:
		return true
	case expired:
		s.ctx.Store(newAttemptContext(r.pool.ctx))
		s.worker.Expire(items, r.pool.overrun)
		return true
	default:
		r.pool.lost.Add(-1)
		return false
	}
}

// endAttempt ends the attempt of the given number and returns the phase that
// it was in, 0 if somebody else has ended it.
func (r *runner) endAttempt(number uint64) phase {
	for {
		for _, p := range [...]phase{running, expired} {
			if r.state.CompareAndSwap(number+p, number+numbers) {
				return p
			}
		}
		if r.state.Load() >= number+numbers {
			return 0
		}
		runtime.Gosched() // locked, for a moment
	}
}
