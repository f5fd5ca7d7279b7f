package kafka

import (
	"errors"
	"fmt"
	"time"
)

// route gives the cursors without a broker to their leaders until Close.
func (f *Fetcher) route() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for f.ctx.Err() == nil {
		due, wait := f.homeless(time.Now())
		if len(due) > 0 {
			f.find(due)
			continue
		}
		var alarm <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			alarm = timer.C
		}
		select {
		case <-f.ctx.Done():
		case <-f.unrouted:
		case <-alarm:
		}
	}
}

// homeless returns the cursors to look up a leader for now, or how long until
// there are some; 0 is never.
func (f *Fetcher) homeless(now time.Time) (due []*cursor, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cursors {
		if c.broker != nil || c.halted {
			continue
		}
		left := c.retryAt.Sub(now)
		if left <= 0 {
			due = append(due, c)
		} else if wait == 0 || left < wait {
			wait = left
		}
	}
	return due, wait
}

// find looks up leaders, for all at once.
func (f *Fetcher) find(cursors []*cursor) {
	partitions := make([]int32, len(cursors))
	for i, c := range cursors {
		partitions[i] = c.partition
	}
	leaders := f.client.LeadersOf(f.ctx, f.cfg.Topic, partitions)
	if f.ctx.Err() == nil {
		for _, d := range f.found(cursors, leaders) {
			f.deliver(d)
		}
	}
}

func (f *Fetcher) found(cursors []*cursor, leaders map[int32]Leader) (out []delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var failed troubles
	for _, c := range cursors {
		c.tries++
		l := leaders[c.partition]
		switch err := l.Err; {
		case c.dropped:
		case err == nil:
			f.attach(c, l.Broker)
		case retriable(err) || errors.Is(err, ErrTopicNotFound):
			// A topic may be deleted and made anew while its reader runs.
			failed.add(c, fmt.Errorf("no leader: %w", err))
		default:
			out = append(out, f.allFailed([]*cursor{c}, fmt.Errorf("look up the leader: %w", err))...)
		}
	}
	failed.settle(f)
	return out
}
