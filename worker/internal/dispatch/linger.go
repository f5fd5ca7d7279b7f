package dispatch

import "time"

// linger lets a few records wait for others, so that they share a call. Pool.mu guards it.
type linger struct {
	since time.Time // when the first of the waiting records came; zero if none waits
	timed bool      // a timer wakes the crew when the wait may be over
	off   bool      // nothing waits
}

// arrived notes that records are queued.
func (l *linger) arrived(now time.Time) {
	if l.since.IsZero() {
		l.since = now
	}
}

// taken notes that a goroutine has claimed records. Those that are left came after them.
func (l *linger) taken(left int, now time.Time) {
	if l.since = (time.Time{}); left > 0 {
		l.since = now
	}
}

// lingers reports whether the queued records wait for others. A goroutine that finds that
// they do has to wait; it is woken when the time is over.
func (p *Pool) lingers() bool {
	queued := p.backlog.queued
	if p.cfg.Linger == 0 || p.linger.off || queued == 0 || queued >= p.cfg.BatchSize {
		return false
	}
	now := time.Now()
	p.linger.arrived(now) // in a lane, behind those of another call
	left := p.linger.since.Add(p.cfg.Linger).Sub(now)
	if left > 0 && !p.linger.timed {
		p.linger.timed = true
		time.AfterFunc(left, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.linger.timed = false
			p.crew.wake.Broadcast()
		})
	}
	return left > 0
}

// endLinger ends the wait of the records that are queued now. Some of them have waited for an
// earlier attempt already, or may share their next one with few others.
func (p *Pool) endLinger() {
	if p.cfg.Linger > 0 && p.backlog.queued > 0 {
		p.linger.since = time.Now().Add(-p.cfg.Linger)
	}
}

// Hurry keeps records from waiting for others, or lets them wait again.
func (p *Pool) Hurry(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.linger.off = on
	if on && p.backlog.queued > 0 {
		p.crew.wake.Broadcast()
	}
}
