package dispatch

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// crew keeps count of the pool's goroutines and wakes those that wait for work.
// Pool.mu guards it; only the list of runners may be read without the lock.
type crew struct {
	runners atomic.Pointer[[]*runner] // replaced under Pool.mu, its elements never change
	wake    sync.Cond                 // for work, for the pool's end and for a smaller size
	size    int                       // the intended number of goroutines
	idle    int                       // goroutines that wait for work
	usage   usage
	// departed counts the attempts of the goroutines that have left.
	departed uint64
}

func (c *crew) init(mu *sync.Mutex, now time.Time) {
	c.wake.L = mu
	c.runners.Store(&[]*runner{})
	c.usage.start(now)
}

// wakeFor wakes as many goroutines as n records can occupy.
func (c *crew) wakeFor(n int) {
	if n >= c.size {
		c.wake.Broadcast()
		return
	}
	for range n {
		c.wake.Signal()
	}
}

// wait blocks r's goroutine, which has no claim, until the crew is woken.
func (c *crew) wait(r *runner) {
	c.idle++
	r.waiting = true
	c.usage.change(time.Now(), -1)
	c.wake.Wait()
	c.usage.change(time.Now(), +1)
	r.waiting = false
	c.idle--
}

// resize sets the intended number of goroutines and returns the runners that are
// added for it. Surplus ones leave by themselves.
func (c *crew) resize(n int, newRunner func() *runner) (added []*runner) {
	c.usage.resize(time.Now(), n)
	c.size = n
	runners := slices.Clone(*c.runners.Load())
	for len(runners) < n {
		r := newRunner()
		runners, added = append(runners, r), append(added, r)
		c.usage.change(time.Now(), +1)
	}
	c.runners.Store(&runners)
	c.wake.Broadcast() // surplus goroutines may be waiting for work
	return added
}

// tooMany reports whether a goroutine has to leave.
func (c *crew) tooMany() bool { return len(*c.runners.Load()) > c.size }

// remove takes out a runner that has no claim. work says that records are queued:
// the signal that woke this goroutine was for one of them, and another goroutine has
// to take it.
func (c *crew) remove(r *runner, work bool) {
	runners := slices.DeleteFunc(slices.Clone(*c.runners.Load()), func(o *runner) bool { return o == r })
	c.runners.Store(&runners)
	c.departed += r.state.Load() / numbers
	c.usage.change(time.Now(), -1)
	if work {
		c.wake.Signal()
	}
}

// attempts implements Pool.Attempts.
func (c *crew) attempts() (count uint64, underWay bool) {
	count = c.departed
	for _, r := range *c.runners.Load() {
		state := r.state.Load()
		count += state / numbers
		underWay = underWay || state%numbers != 0
	}
	return count, underWay
}

// claims returns the number of each goroutine's claim. Goroutines that wait for work
// have none.
func (c *crew) claims() map[*runner]uint64 {
	runners := *c.runners.Load()
	claims := make(map[*runner]uint64, len(runners))
	for _, r := range runners {
		if !r.waiting {
			claims[r] = r.claims
		}
	}
	return claims
}
