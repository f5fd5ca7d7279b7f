package dispatch

import (
	"slices"
	"time"
)

// Resize makes the pool have n goroutines from now on. New ones begin at once;
// those that are too many end after their claims. No claim is cut short, and
// lanes don't depend on who runs them, so the order of records stays.
func (p *Pool) Resize(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = max(n, 1)
	if p.closed || n == p.size {
		return
	}
	p.usage.resize(time.Now(), n)
	p.size = n
	runners := slices.Clone(*p.runners.Load())
	for len(runners) < n {
		r := newRunner(p)
		runners = append(runners, r)
		p.usage.change(time.Now(), +1)
		p.running.Add(1)
		go r.run(r.current.Load())
	}
	p.runners.Store(&runners)
	p.wake.Broadcast() // those that wait for work and are too many
}

// Size returns how many goroutines the pool is to have.
func (p *Pool) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// tooMany reports whether a goroutine has to leave. Needs mu.
func (p *Pool) tooMany() bool { return len(*p.runners.Load()) > p.size }

// leave takes out a runner that has no claim. Needs mu.
func (p *Pool) leave(r *runner) {
	runners := slices.DeleteFunc(slices.Clone(*p.runners.Load()), func(o *runner) bool { return o == r })
	p.runners.Store(&runners)
	p.left += r.state.Load() / numbers
	p.usage.change(time.Now(), -1)
	if p.queued > 0 {
		p.wake.Signal() // the wake that brought this one here was for some work
	}
}
