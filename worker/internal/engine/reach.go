package engine

import (
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// A record that crashes the whole process can only be found if the group knows
// which records may have been in flight. So each commit says how far the owner
// may dispatch: its reach. Records from there on wait until a commit with a
// higher reach is acknowledged. In normal reading commits reach so far ahead
// that nothing waits.

const (
	// minMargin is how many offsets beyond its position a partition reaches at
	// least. The next owner suspects at most this many offsets that were not in
	// flight.
	minMargin = 4096
	maxMargin = maxUncommitted
)

// reach is how far a partition may be dispatched.
type reach struct {
	written atomic.Int64 // acknowledged: records below it may be dispatched
	alone   atomic.Bool  // the acknowledged marks say that a record is tried alone
	// margin is what commits reach beyond the position; 0 in careful reading.
	// The feeder raises it when it has to ask too often, the committer lowers it.
	margin atomic.Int64

	// The feeder's own.
	asked   int64     // what was written when a higher reach was asked for last
	askedAt time.Time // when that was

	// The committer's, guarded by the member's commitMu.
	position  int64
	positedAt time.Time
}

// extend prepares a checkpoint. A margin that lasts for many commits at the
// present speed is halved.
func (r *reach) extend(t *offsets.Tracker, now time.Time) {
	margin := r.margin.Load()
	if elapsed := now.Sub(r.positedAt); elapsed >= commitInterval {
		position := t.Position()
		if moved := position - r.position; moved < margin/16 {
			r.margin.CompareAndSwap(margin, max(margin/2, min(margin, minMargin)))
		}
		r.position, r.positedAt = position, now
	}
	t.ExtendReach(margin)
}

// acknowledged takes the marks of a commit that the group has accepted.
func (r *reach) acknowledged(marks *offsets.Marks) {
	r.alone.Store(marks.Suspicion != nil && marks.Suspicion.Alone)
	r.written.Store(marks.Reach)
}

// covered reports whether the chunk's records are below the reach, and asks for
// a higher one if they are not. What was fetched of a topic that is gone has none:
// nothing of it is committed any more.
func (m *member) covered(p *partition, c *chunk) bool {
	if len(c.Records) == 0 || p.foreign.Load() {
		return true
	}
	next := c.Records[len(c.Records)-1].Offset + 1
	if next <= p.reach.written.Load() {
		p.suspect.window.asked = false
		return true
	}
	if p.is(careful) {
		m.openWindow(p, c, next)
		return false
	}
	// The log may have gaps that are wider than the margin.
	p.tracker.Mark(func(marks *offsets.Marks) { marks.Reach = max(marks.Reach, next) })
	m.raiseReach(p)
	return false
}

// nudgeReach asks for a higher reach before records have to wait for it.
func (m *member) nudgeReach(p *partition, next int64) {
	if margin := p.reach.margin.Load(); p.reach.written.Load()-next < margin/2 {
		m.raiseReach(p)
	}
}

// raiseReach makes the committer hurry, and lets commits reach farther if the
// regular ones are not enough.
func (m *member) raiseReach(p *partition) {
	r := &p.reach
	written := r.written.Load()
	if written == r.asked {
		return
	}
	now := time.Now()
	if margin := r.margin.Load(); now.Sub(r.askedAt) < commitInterval {
		r.margin.CompareAndSwap(margin, min(2*margin, maxMargin))
	}
	r.asked, r.askedAt = written, now
	m.commitSoon()
}
