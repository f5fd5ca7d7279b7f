package engine

import (
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// A partition that can't be read on is halted: its records in flight are finished
// and committed, and the member keeps it, so that it does not move from pod to pod.
// All other partitions go on.

// lookAgainInterval is how long a partition stays halted before it is fetched
// again. The damage may be gone by then: its leader has moved to a healthy
// replica, or retention has passed the place.
var lookAgainInterval = time.Minute

// readingHalt holds why a partition is halted, and since when for that reason.
type readingHalt struct {
	err   error
	since time.Time
}

// haltReading halts a partition until it is given up. The error names the place
// and says what to do.
func (m *member) haltReading(p *partition, err error) {
	if !p.is(active, careful, halted) {
		return
	}
	m.fetcher.Stop(p.id)
	m.dropSets(p)
	p.to(halted)
	if last := p.halt.Load(); last == nil || last.err.Error() != err.Error() {
		p.halt.Store(&readingHalt{err: err, since: time.Now()})
		m.log.Error(err, "halted a partition; all others go on", "topic", m.e.cfg.Input.Topic, "partition", p.id,
			"offset", p.tracker.Position())
	}
	m.wakeFeeder()
}

// haltAndLookAgain halts a partition for a reason that may pass.
func (m *member) haltAndLookAgain(p *partition, err error) {
	m.haltReading(p, err)
	m.lookAgainLater(p)
}

func (m *member) lookAgainLater(p *partition) {
	time.AfterFunc(lookAgainInterval, func() {
		m.post(func() {
			if m.parts[p.id] == p && p.is(halted) {
				p.epoch = m.fetcher.StartAt(p.id, p.at(p.tracker.Position()))
			}
		})
	})
}

// lookedAgain reads a halted partition on if what was fetched of it now can be
// decoded.
func (m *member) lookedAgain(p *partition) {
	if !p.waiting[0].Done() && !m.decodeAhead(p, 1) {
		if p.set != nil { // otherwise decoding has halted it again already
			m.fetcher.Stop(p.id)
			m.dropSets(p)
			m.lookAgainLater(p)
		}
		return
	}
	p.halt.Store(nil)
	p.to(active)
	if p.suspect.any() {
		p.to(careful)
	}
	m.log.Info("reading a halted partition again", "topic", m.e.cfg.Input.Topic, "partition", p.id,
		"offset", p.tracker.Position())
}

// restHalted ends the turns of halted partitions that were being read carefully
// when their records have had an attempt.
func (m *member) restHalted() {
	for _, p := range m.parts {
		if !p.is(halted) || !p.suspect.any() {
			continue
		}
		if m.closeWindow(p); !p.suspect.window.open {
			m.leaveTurn(p)
		}
	}
}

// corrupt takes a set that can't be decoded. It is fetched once more, in case
// the damage was done on the way; damage in the log halts the partition.
func (m *member) corrupt(p *partition, err error) {
	position := p.tracker.Position()
	var tooLarge *batch.TooLargeError
	if p.corruptAt == position+1 || p.is(halted) || errors.As(err, &tooLarge) {
		m.haltAndLookAgain(p, err)
		return
	}
	m.dropSets(p)
	m.fetcher.Stop(p.id)
	p.corruptAt = position + 1 // so that zero is none
	m.log.Info("fetched data is damaged; fetching it again", "partition", p.id, "error", err.Error())
	p.epoch = m.fetcher.StartAt(p.id, p.at(position))
}
