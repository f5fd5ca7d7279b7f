package engine

import "github.com/millrace-dev/millrace/worker/internal/offsets"

// turning says how a partition goes on at a place where its log is not continuous.
// It takes effect when everything that was fetched before that place is dispatched.
type turning struct {
	// halt ends the reading, if it is set.
	halt error
	// skipTo is where the same log goes on: all offsets below count as settled.
	// 0 if it does not.
	skipTo int64
	// restart reads another log from at on, as soon as nothing of the former log
	// is in flight: the same offsets stand for other records there. Until then
	// nothing is committed, since the group would apply it to the other log.
	restart bool
	at      int64
	origin  offsets.Origin
}

// turn sets how a partition goes on.
func (m *member) turn(p *partition, t *turning) {
	p.turning = t
	p.foreign.Store(t.restart)
	m.passTurn(p)
}

// passTurn goes on beyond the place where the log is not continuous, if
// everything before is dispatched.
func (m *member) passTurn(p *partition) {
	t := p.turning
	if t == nil || p.ahead != nil || p.set != nil || len(p.waiting) > 0 || !p.is(active, careful, halted) {
		return
	}
	switch {
	case t.halt != nil:
		p.turning = nil
		m.haltReading(p, t.halt)
	case !t.restart:
		p.turning = nil
		m.skip(p, t.skipTo)
	case p.records.Load() == 0:
		p.turning = nil
		m.replace(p, t)
	}
}

// passTurns calls passTurn for the partitions that wait for their last record in
// flight.
func (m *member) passTurns() {
	for _, p := range m.parts {
		if p.turning != nil {
			m.passTurn(p)
		}
	}
}

// skip settles everything up to next.
func (m *member) skip(p *partition, next int64) {
	if next <= p.tracker.Position() {
		return // a set of what follows was faster
	}
	c := m.chunks.get(0)
	p.tracker.Admit(&c.span, nil, next)
	m.chunks.put(c)
	m.nudgeCommit(p, next)
}

// replace exchanges the partition's assignment for one that reads another log.
func (m *member) replace(old *partition, t *turning) {
	m.forget(old)
	p := newPartition(m.hard, old.assignment)
	m.keep(p)
	m.prepare(p, t.at, offsets.State{Origin: t.origin})
	if p.origin.TopicID == old.origin.TopicID {
		p.epochs.add(old.epochs.until(t.at), 0)
	}
	m.acquired(p)
	m.commitSoon()
}
