package engine

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// A record that crashes the whole process can't be caught by recover. It is
// found across restarts through the metadata of committed offsets: a partition
// that is being worked on is committed as open, with its reach, and closed when
// it is given up. The next owner of an open partition, whose last owner's
// process died, suspects the records below the reach that are not settled. It reads
// them in windows: each window has its own reach, and begins when all records of
// the window before have had an attempt. A crash then leaves one window to the
// next owner, which reads it in smaller ones.
//
// Each partition does this for itself. All partitions of a process that dies
// are suspected, and each crash narrows all of them down, until each has one
// record left. These are tried one at a time.

// search reads the suspected records of a partition carefully. It is part of the
// reader, and so the feeder's.
type search struct {
	part    *partition
	proc    *process
	mail    *mailbox
	commits *committer

	suspect suspect
	window  window
	opened  int // windows so far
}

// window is the part of the suspected records that is under way.
type window struct {
	asked bool // the next commit extends the reach to it
	open  bool // dispatched
	alone bool // holds one record, and no other suspected partition has one
	since time.Time
}

// windowPatience is how long a window may delay the next one. Records that take
// long, or whose outputs can't be written, must not stop their partition. The price
// is that a crash leaves a little more to search.
const windowPatience = time.Second

// size returns how many records the next window may hold: few at first, so that
// all partitions of a dead process move soon, however long records take.
func (s *search) size() int {
	return min(windows[s.suspect.level], windows[narrow]<<min(s.opened, 8))
}

// ask asks for a commit that extends the reach to next, the end of a chunk that
// begins at first, when it is the partition's turn.
func (s *search) ask(first, next int64) {
	apart := s.suspect.level == alone && !s.suspect.condemns(first)
	if s.window.asked || !s.mayOpen(apart) {
		return
	}
	s.window.asked, s.window.alone = true, apart
	s.part.aloneTried.Store(false)
	mark := s.suspect.mark(apart)
	s.part.tracker.Mark(func(marks *offsets.Marks) { marks.Reach, marks.Suspicion = next, mark })
	s.commits.soon()
}

// open notes that the chunk of the window that was asked for is dispatched.
func (s *search) open(c *chunk) {
	s.opened++
	s.window.open, s.window.since = true, time.Now()
	time.AfterFunc(windowPatience, s.mail.wake.Notify)
	if c.alone = s.window.alone; c.alone {
		c.Limit = 1 // its attempt holds no record of an unsuspected partition either
	}
	if rec := &c.Records[0]; s.suspect.condemns(rec.Offset) {
		s.part.failures.condemn(rec, s.suspect.crashes, &crashError{crashes: s.suspect.crashes})
	}
}

// idle reports whether no window is open or asked for.
func (s *search) idle() bool { return !s.window.open && !s.window.asked }

// done reports whether all suspected records have had an attempt.
func (s *search) done() bool { return !s.window.open && s.part.tracker.Position() >= s.suspect.next }

// drop forgets a window that was asked for and whose records are not dispatched
// after all.
func (s *search) drop() {
	w := &s.window
	if !w.asked {
		return
	}
	w.asked = false
	if w.alone {
		*w = window{}
		s.markSurvived()
	}
	if !w.open {
		s.leaveTurn()
	}
}

// mayOpen reports whether the partition may have another window now. A window for a
// record that is tried alone waits until nothing else of the partition is in flight:
// another record could crash the process too, or hold this one up in its lane.
func (s *search) mayOpen(apart bool) bool {
	w := &s.window
	switch {
	case w.open && (w.alone || time.Since(w.since) < windowPatience):
		return false
	case apart:
		return s.part.records.Load() == 0 && s.proc.turns.takeAlone(s.part)
	default:
		return s.proc.turns.share(s.part)
	}
}

// close ends the partition's window when its records have had an attempt.
func (s *search) close() {
	w := &s.window
	if !w.open {
		return
	}
	if !w.alone {
		if s.part.untried() <= 0 {
			w.open = false
			s.leaveTurn()
		}
		return
	}
	if s.part.records.Load() > 0 && !s.part.aloneTried.Load() {
		return
	}
	// Others go on once a commit says that the record has survived.
	s.markSurvived()
	if s.part.reach.alone.Load() {
		s.commits.soon()
		return
	}
	*w = window{}
	s.leaveTurn()
}

// markSurvived has commits say that no record is tried alone any more.
func (s *search) markSurvived() {
	mark := s.suspect.mark(false)
	s.part.tracker.Mark(func(marks *offsets.Marks) { marks.Suspicion = mark })
}

// markClosed has the partition's last commit say that it was given up in good
// order.
func (s *search) markClosed() {
	mark := s.suspect.mark(false)
	s.part.tracker.Mark(func(marks *offsets.Marks) { marks.Open, marks.Suspicion = false, mark })
}

// end forgets the suspicion: the partition is read as usual from here on.
func (s *search) end() {
	s.suspect, s.window, s.opened = suspect{}, window{}, 0
	s.part.tracker.Mark(func(marks *offsets.Marks) { marks.Suspicion = nil })
	s.part.reach.margin.Store(minMargin)
	s.leaveTurn()
	s.commits.soon()
}

// leaveTurn lets partitions go on that wait for this one.
func (s *search) leaveTurn() {
	if s.proc.turns.leave(s.part) {
		s.proc.wakeFeeders()
	}
}
