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

// window is what a suspected partition has under way.
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

// untried returns how many records in flight have not had an attempt.
func (p *partition) untried() int64 {
	return p.records.Load() - int64(p.failures.count.Load())
}

// feedCareful takes the partition's next step in careful reading and reports
// whether it got anywhere at once.
func (m *member) feedCareful(p *partition) bool {
	s := &p.suspect
	m.blocked.Store(true)
	m.closeWindow(p)
	if !s.window.open && p.tracker.Position() >= s.next {
		m.endCareful(p)
		return true
	}
	c := m.decode(p, s.size())
	if c == nil {
		if !s.window.open && !s.window.asked {
			m.leaveTurn(p) // there is nothing to read
		}
		return false
	}
	s.opened++
	s.window.open, s.window.since = true, time.Now()
	time.AfterFunc(windowPatience, m.wakeFeeder)
	if c.alone = s.window.alone; c.alone {
		c.Limit = 1 // its attempt holds no record of an unsuspected partition either
	}
	if rec := &c.Records[0]; s.condemns(rec.Offset) {
		p.failures.condemn(rec, s.crashes, &crashError{crashes: s.crashes})
	}
	m.decoded = append(m.decoded, &c.Chunk)
	return true
}

// openWindow asks for a commit that extends the reach to next, the end of the
// chunk, when it is the partition's turn.
func (m *member) openWindow(p *partition, c *chunk, next int64) {
	s := &p.suspect
	apart := s.level == alone && !s.condemns(c.Records[0].Offset)
	if s.window.asked || !m.mayOpen(p, apart) {
		return
	}
	s.window.asked, s.window.alone = true, apart
	p.aloneTried.Store(false)
	mark := s.mark(apart)
	p.tracker.Mark(func(marks *offsets.Marks) { marks.Reach, marks.Suspicion = next, mark })
	m.commitSoon()
}

// dropWindow forgets a window that was asked for and whose records are not
// dispatched after all.
func (m *member) dropWindow(p *partition) {
	w := &p.suspect.window
	if !w.asked {
		return
	}
	w.asked = false
	if w.alone {
		*w = window{}
		m.markSurvived(p)
	}
	if !w.open {
		m.leaveTurn(p)
	}
}

// mayOpen reports whether the partition may have another window now. A window for a
// record that is tried alone waits until nothing else of the partition is in flight:
// another record could crash the process too, or hold this one up in its lane.
func (m *member) mayOpen(p *partition, apart bool) bool {
	w := &p.suspect.window
	switch {
	case w.open && (w.alone || time.Since(w.since) < windowPatience):
		return false
	case apart:
		return p.records.Load() == 0 && m.e.turns.take(p)
	default:
		return m.e.turns.share(p)
	}
}

// closeWindow ends the partition's window when its records have had an attempt.
func (m *member) closeWindow(p *partition) {
	w := &p.suspect.window
	if !w.open {
		return
	}
	if !w.alone {
		if p.untried() <= 0 {
			w.open = false
			m.leaveTurn(p)
		}
		return
	}
	if p.records.Load() > 0 && !p.aloneTried.Load() {
		return
	}
	// Others go on once a commit says that the record has survived.
	m.markSurvived(p)
	if p.reach.alone.Load() {
		m.commitSoon()
		return
	}
	*w = window{}
	m.leaveTurn(p)
}

// markSurvived has commits say that no record is tried alone any more.
func (m *member) markSurvived(p *partition) {
	mark := p.suspect.mark(false)
	p.tracker.Mark(func(marks *offsets.Marks) { marks.Suspicion = mark })
}

// tried notes that an attempt of a record that is tried alone has ended.
func (m *member) tried(c *chunk) {
	c.part.aloneTried.Store(true)
	m.wakeFeeder()
}

// leaveTurn lets others go on that wait for p.
func (m *member) leaveTurn(p *partition) {
	if m.e.turns.leave(p) {
		m.e.wakeFeeders()
	}
}

// wakeFeeders makes every member's feeder look around.
func (e *Engine) wakeFeeders() {
	for _, m := range e.members {
		m.wakeFeeder()
	}
}

// endCareful goes over to normal reading.
func (m *member) endCareful(p *partition) {
	p.suspect = suspect{}
	p.tracker.Mark(func(marks *offsets.Marks) { marks.Suspicion = nil })
	p.reach.margin.Store(minMargin)
	p.to(active)
	m.leaveTurn(p)
	m.commitSoon()
	m.log.Info("went through what the last owner left; reading on as usual", "partition", p.id, "offset", p.tracker.Position())
}
