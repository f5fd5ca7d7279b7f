package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/offsets"
)

// A record that crashes the whole process can't be caught by recover. It is
// found across restarts through the metadata of committed offsets: a partition
// that is being worked on is committed as open, and closed when it is given
// up. Whoever acquires an open partition knows that its last owner crashed (or
// was cut off), and reads what that owner may have had in flight carefully:
// window by window, each entered in the metadata before it is dispatched, and
// nothing else running in the process. A crash then pins the window; the next
// one, read in smaller windows, pins a part of it, down to a single record
// whose crashes are counted like failed attempts.

// windows are the numbers of records that are dispatched together in careful
// reading, by how many crashes are known of.
var windows = [...]int{1: 8192, 2: 512, 3: 1}

// suspect is a range of offsets that may hold a record that crashes the
// process.
type suspect struct {
	first, next int64
	crashes     int
	// held is decoded, entered in the tracker and not dispatched yet.
	held    []*chunk
	writing bool // the window is on its way into the metadata
}

// suspectOf reads the suspicion from a commit's metadata. Open without a
// window: the owner crashed in normal reading. Open with a window: it crashed
// while it worked on that window. A window without open: it is suspected, but
// was not being worked on.
func suspectOf(position int64, state offsets.State) suspect {
	a := state.Attempting
	switch {
	case a == nil && state.Open:
		return suspect{first: position, next: position + maxUncommitted, crashes: 1}
	case a == nil || a.Next <= position:
		return suspect{}
	case state.Open:
		return suspect{first: a.First, next: a.Next, crashes: a.Crashes + 1}
	default:
		return suspect{first: a.First, next: a.Next, crashes: a.Crashes}
	}
}

// limit leaves out what the crashed owner can't have read: records from the end
// of the log on.
func (s *suspect) limit(end int64) {
	s.next = min(s.next, end)
	if s.next <= s.first {
		*s = suspect{}
	}
}

func (s *suspect) any() bool { return s.crashes > 0 }

// attempting is how the suspicion is committed while it is not worked on.
func (s *suspect) attempting() *offsets.Attempt {
	if !s.any() {
		return nil
	}
	return &offsets.Attempt{First: s.first, Next: s.next, Crashes: s.crashes}
}

func (s *suspect) window() int { return windows[min(s.crashes, len(windows)-1)] }

// recovery lets one partition of the process be read carefully at a time, with
// nothing else running, so that a crash is blamed on the right window.
type recovery struct {
	waiting atomic.Int32
	mu      sync.Mutex
	careful map[*partition]bool // guarded by mu
	holder  *partition          // guarded by mu
}

// pending reports whether normal reading must wait.
func (r *recovery) pending() bool { return r.waiting.Load() > 0 }

func (r *recovery) add(p *partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.careful == nil {
		r.careful = make(map[*partition]bool)
	}
	r.careful[p] = true
	r.waiting.Store(int32(len(r.careful)))
}

// done ends a partition's careful reading, if it was in it.
func (r *recovery) done(p *partition) (ended bool) {
	if !r.pending() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ended = r.careful[p]
	delete(r.careful, p)
	r.waiting.Store(int32(len(r.careful)))
	if r.holder == p {
		r.holder = nil
	}
	return ended
}

// turn reports whether it is p's turn; idle says that nothing is in flight in
// the process.
func (r *recovery) turn(p *partition, idle func() bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holder == nil && idle() {
		r.holder = p
	}
	return r.holder == p
}

// idle reports whether no member has anything in flight.
func (e *Engine) idle() bool {
	for _, m := range e.members {
		if m.busyRecords() > 0 {
			return false
		}
	}
	return true
}

func (m *member) busyRecords() (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.parts {
		n += p.records.Load()
	}
	return n
}

// feedCareful takes the partition's next step in careful reading and reports
// whether it got anywhere at once.
func (m *member) feedCareful(p *partition) bool {
	s := &p.suspect
	m.blocked.Store(true)
	if s.writing || p.records.Load() > heldRecords(s.held) || !m.e.recover.turn(p, m.e.idle) {
		return false
	}
	if p.tracker.Position() >= s.next && len(s.held) == 0 {
		m.endCareful(p)
		return true
	}
	if c := m.decode(p, s.window()); c != nil {
		s.held = append(s.held, c)
		if heldRecords(s.held) < int64(s.window()) {
			return true
		}
	}
	if len(s.held) > 0 {
		m.dispatchWindow(p)
	}
	return false
}

func heldRecords(chunks []*chunk) (n int64) {
	for _, c := range chunks {
		n += int64(len(c.Records))
	}
	return n
}

// dispatchWindow enters the held chunks in the metadata and dispatches them
// once that is acknowledged.
func (m *member) dispatchWindow(p *partition) {
	s := &p.suspect
	first, last := s.held[0].offsets[0], s.held[len(s.held)-1].offsets
	window := &offsets.Attempt{First: first, Next: last[len(last)-1] + 1, Crashes: s.crashes}
	p.tracker.SetAttempting(window)
	p.tracker.SetOpen(true)
	if s.next == s.first+1 && first == s.first {
		p.failures.add(&s.held[0].Records[0], s.crashes, &crashError{crashes: s.crashes})
	}
	s.writing = true
	go func() {
		written := m.writeWindow(p)
		m.post(func() {
			s.writing = false
			held := s.held
			s.held = nil
			if !written {
				return
			}
			for _, c := range held {
				m.pool.Push(&c.Chunk)
			}
		})
	}()
}

// writeWindow commits until it is acknowledged; false means that the partition
// is no longer ours to read.
func (m *member) writeWindow(p *partition) bool {
	for {
		ctx, cancel := context.WithTimeout(m.hard, 5*time.Second)
		err := m.commit(ctx, p)
		cancel()
		if err == nil {
			return true
		}
		if p.cancelled.Load() || m.hard.Err() != nil {
			return false
		}
		m.log.Info("could not commit; trying again", "partition", p.id, "error", err.Error())
		select {
		case <-m.hard.Done():
		case <-time.After(time.Second):
		}
	}
}

// leaveCareful lets others go on when p no longer needs to be read carefully.
func (m *member) leaveCareful(p *partition) {
	if m.e.recover.done(p) {
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
	p.tracker.SetAttempting(nil)
	p.tracker.SetOpen(true)
	p.to(active)
	m.leaveCareful(p)
	m.commitSoon() // or another record's crash would be blamed on the last window
	m.log.Info("went through what the last owner left; reading on as usual", "partition", p.id, "offset", p.tracker.Position())
}
