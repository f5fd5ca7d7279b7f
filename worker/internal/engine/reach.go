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
	// minMargin is the lowest number of offsets that a partition reaches beyond its
	// position. The next owner suspects at most this many offsets that were not in
	// flight.
	minMargin = 4096
	maxMargin = maxUncommitted
)

// reach is the offset below which a partition's records may be dispatched.
type reach struct {
	acknowledged atomic.Int64 // records below it may be dispatched
	alone        atomic.Bool  // the acknowledged marks say that a record is tried alone
	// margin is the number of offsets that commits reach beyond the position; 0 in
	// careful reading. The feeder raises it when it has to ask too often, the
	// committer lowers it.
	margin atomic.Int64
}

// pace is the position of a partition at some commit, from which the committer sees
// how fast the partition moves.
type pace struct {
	position int64
	at       time.Time
}

// extend prepares a checkpoint. It halves a margin that lasts for many commits at the
// present speed.
func (r *reach) extend(t *offsets.Tracker, last *pace, now time.Time) {
	margin := r.margin.Load()
	if elapsed := now.Sub(last.at); elapsed >= commitInterval {
		position := t.Position()
		if moved := position - last.position; moved < margin/16 {
			r.margin.CompareAndSwap(margin, max(margin/2, min(margin, minMargin)))
		}
		last.position, last.at = position, now
	}
	t.ExtendReach(margin)
}

// acknowledge takes the marks of a commit that the group has accepted.
func (r *reach) acknowledge(marks *offsets.Marks) {
	r.alone.Store(marks.Suspicion != nil && marks.Suspicion.Alone)
	r.acknowledged.Store(marks.Reach)
}

// covered reports whether the chunk's records are below the reach, and asks for
// a higher one if they are not. The records of a topic that is gone need none:
// none of them is committed any more.
func (r *reader) covered(c *chunk) bool {
	if len(c.Records) == 0 || r.foreign.Load() {
		return true
	}
	next := c.Records[len(c.Records)-1].Offset + 1
	if next <= r.reach.acknowledged.Load() {
		r.search.window.asked = false
		return true
	}
	if r.inState(careful) {
		r.search.ask(c.Records[0].Offset, next)
		return false
	}
	// The log may have gaps that are wider than the margin.
	r.tracker.Mark(func(marks *offsets.Marks) { marks.Reach = max(marks.Reach, next) })
	r.raiseReach()
	return false
}

// nudgeReach asks for a higher reach before records have to wait for it.
func (r *reader) nudgeReach(next int64) {
	if margin := r.reach.margin.Load(); r.reach.acknowledged.Load()-next < margin/2 {
		r.raiseReach()
	}
}

// raiseReach makes the committer hurry, and lets commits reach farther if the
// regular ones are not enough.
func (r *reader) raiseReach() {
	acknowledged := r.reach.acknowledged.Load()
	if acknowledged == r.reachAsked {
		return
	}
	now := time.Now()
	if margin := r.reach.margin.Load(); now.Sub(r.reachAskedAt) < commitInterval {
		r.reach.margin.CompareAndSwap(margin, min(2*margin, maxMargin))
	}
	r.reachAsked, r.reachAskedAt = acknowledged, now
	r.commits.soon()
}
