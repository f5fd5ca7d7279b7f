package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// attemptContext is the context of a goroutine's attempts. It is reused until
// the watchdog or the pool's end cancels it, so that an attempt costs no
// allocation and no timer.
type attemptContext struct {
	context.Context // the pool's
	once            sync.Once
	done            chan struct{}
	stop            func() bool
}

func newAttemptContext(pool context.Context) *attemptContext {
	c := &attemptContext{Context: pool, done: make(chan struct{})}
	c.stop = context.AfterFunc(pool, c.end)
	return c
}

func (c *attemptContext) end() { c.once.Do(func() { close(c.done) }) }

// expire ends the context because its attempt ran out of time.
func (c *attemptContext) expire() {
	c.stop()
	c.end()
}

// Done implements context.Context.
func (c *attemptContext) Done() <-chan struct{} { return c.done }

// Err implements context.Context.
func (c *attemptContext) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if err := c.Context.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}

// sighting is when the watchdog first saw an attempt.
type sighting struct {
	number uint64
	since  time.Time
	freed  bool // the rest of its claim was given to others
}

const (
	watchInterval = 5 * time.Millisecond
	// slow is how long an attempt may take, or all that were made of a claim
	// together, before the rest of the claim is given to other goroutines. A
	// claim that is cut for records as they were of late takes a twentieth of it.
	slow = 2 * watchInterval
)

// watch looks after long attempts. It reads counters now and then instead of
// arming a timer for each record.
func (p *Pool) watch() {
	defer p.running.Done()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-ticker.C:
			for _, r := range *p.runners.Load() {
				p.look(r, &r.seen, now)
			}
		}
	}
}

// look frees what is left of a slow claim, ends the context of an attempt that
// overruns its timeout, and abandons one that doesn't return soon after.
func (p *Pool) look(r *runner, s *sighting, now time.Time) {
	ctx := r.current.Load().ctx.Load()
	state := r.state.Load()
	number, phase := state/numbers, state%numbers
	if phase == 0 || number != s.number {
		*s = sighting{number: number, since: now}
		if phase == running && now.Sub(p.started)-time.Duration(r.claimed.Load()) >= slow {
			s.freed = p.free(r, state)
		}
		return
	}
	// Seen before in this attempt, so ctx is this attempt's: it is exchanged
	// only between attempts.
	ran, timeout := now.Sub(s.since), p.cfg.Timeout
	if ran >= slow && !s.freed {
		s.freed = p.free(r, state)
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
		p.abandon(r, state)
	}
}

// free gives what r has claimed and not begun to the other goroutines, but for
// the lanes of the records that it is working on.
func (p *Pool) free(r *runner, state uint64) bool {
	if !r.state.CompareAndSwap(state, state|locked) {
		return false
	}
	p.mu.Lock()
	p.giveRest(r)
	p.mu.Unlock()
	r.state.Store(state)
	return true
}

// abandon takes the claim away from a goroutine that does not return and goes
// on with another one. Go can't end a goroutine, so what it reads is never
// reused, and there may be only MaxLost of them.
func (p *Pool) abandon(r *runner, state uint64) {
	if limit := p.cfg.MaxLost(); int(p.lost.Load()) >= limit {
		p.overload.Do(func() {
			p.cfg.OnOverload(fmt.Errorf("%d goroutines are lost to attempts that overran their timeout of %s and never returned; "+
				"correct the processor, it must return when its context is done", limit, p.cfg.Timeout))
		})
		return
	}
	if !r.state.CompareAndSwap(state, state-expired+numbers) {
		return
	}
	p.cfg.OnLost(int(p.lost.Add(1)))
	r.items = slices.Clone(r.items) // the lost goroutine may still read the old ones
	items := r.items[r.pos : r.pos+r.group]
	for _, it := range items {
		it.Chunk.leaked.Store(true)
	}
	s := newSession(p)
	r.current.Store(s)
	s.worker.Expire(items, p.gone)
	go r.resume(s)
}
