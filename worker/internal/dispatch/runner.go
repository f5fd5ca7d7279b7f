package dispatch

import (
	"runtime"
	"sync/atomic"
	"time"
)

// runner is one of the pool's goroutines and its claim. The goroutine owns every
// field that does not name another owner. When the watchdog abandons an attempt, the
// runner passes to the goroutine that replaces the lost one.
type runner struct {
	pool    *Pool
	current atomic.Pointer[session]

	claim     claim
	perRecord time.Duration // moving average of the time that a record takes

	failed     []Item        // without an order, to be tried again after failedWait
	failedWait time.Duration // for failed

	claims  uint64 // counts the goroutine's claims; guarded by Pool.mu
	waiting bool   // for work, with nothing claimed; guarded by Pool.mu

	lastSeen sighting // only the watchdog uses it
	// claimedAt is when the goroutine began to work on the claim, as the time since
	// the pool's start.
	claimedAt atomic.Int64
	// state is the attempt's number and phase; see phase.
	state atomic.Uint64
	// Runners are allocated next to each other. Without a cache line between them,
	// the state of one would slow down another with each record.
	_ [64]byte
}

// phase is what the low bits of a runner's state say; the rest numbers its attempts.
// The goroutine begins an attempt by adding running, and the watchdog moves running to
// expired. Whoever moves either to the next number, without a phase, has ended the
// attempt and owns the runner. While locked is set, the watchdog is changing the claim
// and nobody can end the attempt.
type phase = uint64

const (
	running phase = 1
	expired phase = 2
	locked  phase = 4
	numbers phase = 8 // the step from one attempt's number to the next
)

// session is what one goroutine hands to the user's code. It stays with a goroutine
// that never returns.
type session struct {
	worker Worker
	ctx    atomic.Pointer[attemptContext]
}

func newRunner(p *Pool) *runner {
	r := &runner{pool: p}
	r.state.Store(numbers) // number 0 is the watchdog's sighting before the first attempt
	r.current.Store(newSession(r))
	return r
}

func newSession(r *runner) *session {
	s := &session{worker: r.pool.cfg.NewWorker()}
	s.ctx.Store(newAttemptContext(r))
	return s
}

// run claims and processes records until the pool is closed or has too many
// goroutines, or until the watchdog abandons an attempt of this one.
func (r *runner) run(s *session) {
	for r.pool.claim(r) {
		start := time.Now()
		r.claimedAt.Store(int64(start.Sub(r.pool.started)))
		if !r.work(s) {
			return
		}
		r.measure(time.Since(start), len(r.claim.items))
	}
	r.pool.running.Done()
}

// resume goes on in place of a lost goroutine, after the items of its attempt have
// expired.
func (r *runner) resume(s *session) {
	r.finish(s)
	if r.work(s) {
		r.run(s)
	}
}

// measure notes that a claim of n records took d.
func (r *runner) measure(d time.Duration, n int) {
	each := d / time.Duration(n)
	if r.perRecord == 0 {
		r.perRecord = each
	}
	r.perRecord += (each - r.perRecord) / 4
	r.pool.cfg.Observe(d, n)
}

// work attempts the unfinished items of the claim, group by group. It returns false if
// the watchdog has taken the claim away.
func (r *runner) work(s *session) bool {
	for {
		items := r.nextGroup()
		if len(items) == 0 {
			return true
		}
		if !r.attempt(s, items) {
			return false
		}
		r.finish(s)
	}
}

// nextGroup returns the next items that share an attempt, none if all are finished.
// On the way it skips items of cancelled chunks, and returns items of blocked lanes to
// them.
func (r *runner) nextGroup() []Item {
	c := &r.claim
	for c.finished < len(c.items) && !r.mayRun(c.items[c.finished]) {
		if it := c.items[c.finished]; it.lane != nil && it.lane.isBlocked() {
			it.lane.returned = append(it.lane.returned, it)
		}
		c.finished++
	}
	n := min(1, len(c.items)-c.finished) // the loop has looked at the first one
	if r.pool.cfg.BatchSize > 1 && n == 1 {
		room := r.newRoom(c.items[c.finished])
		for size := r.maxGroup(); n < size && r.mayJoin(c.items[c.finished+n:]) && room.has(c.items[c.finished+n]); {
			n++
		}
	}
	c.group = n
	return c.attempted()
}

// room is what Config.BatchBytes leaves for further items of an attempt.
type room struct {
	limited bool
	left    int // bytes
}

func (r *runner) newRoom(first Item) room {
	limit := r.pool.cfg.BatchBytes
	if limit == 0 {
		return room{}
	}
	return room{limited: true, left: limit - first.Record().Size()}
}

// has takes room for an item, if there is enough.
func (r *room) has(it Item) bool {
	if r.limited {
		r.left -= it.Record().Size()
	}
	return r.left >= 0
}

// maxGroup returns how many items may share the attempt of the next one.
func (r *runner) maxGroup() int {
	if limit := r.claim.items[r.claim.finished].history.limit; limit > 0 {
		return int(limit)
	}
	return r.pool.cfg.BatchSize
}

// mayJoin reports whether the first of the items may share the attempt of the claim's
// next one.
func (r *runner) mayJoin(items []Item) bool {
	return len(items) > 0 && items[0].history.limit == r.claim.items[r.claim.finished].history.limit && r.mayRun(items[0])
}

func (r *runner) mayRun(it Item) bool {
	blocked := it.lane != nil && it.lane.isBlocked()
	return !blocked && !it.Chunk.Cancelled.Load() && !r.pool.stopped.Load()
}

// attempt runs one attempt of the items. It returns false if the watchdog has
// abandoned the attempt; the runner belongs to another goroutine then.
func (r *runner) attempt(s *session, items []Item) bool {
	begun := r.state.Add(running)
	s.worker.Process(s.ctx.Load(), items)
	switch r.endAttempt(begun - running) {
	case running:
		return true
	case expired:
		s.ctx.Store(newAttemptContext(r))
		s.worker.Expire(items, r.pool.watchdog.errOverran)
		return true
	default:
		r.pool.watchdog.lost.Add(-1)
		return false
	}
}

// endAttempt ends the attempt of the given number and returns the phase that it was
// in, or 0 if the watchdog has ended it.
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
