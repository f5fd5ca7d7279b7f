package engine

import "github.com/millrace-dev/millrace/worker/kafka"

// assignments is the member as the group sees it. Its methods come from the
// group's goroutine and only post to the feeder.
type assignments member

var _ kafka.MemberHandler = (*assignments)(nil)

// Assigned implements kafka.MemberHandler.
func (a *assignments) Assigned(generation int32, assigned []*kafka.Assignment) {
	m := (*member)(a)
	m.e.metrics.Rebalances.Add(1)
	m.post(func() { m.assigned(generation, assigned) })
}

// Revoked implements kafka.MemberHandler.
func (a *assignments) Revoked(_ int32, revoked []*kafka.Assignment) {
	m := (*member)(a)
	m.post(func() { m.revoked(revoked) })
}

// Lost implements kafka.MemberHandler.
func (a *assignments) Lost(lost []*kafka.Assignment, err error) {
	m := (*member)(a)
	m.post(func() { m.lost(lost, err) })
}

// assigned begins to acquire partitions. A worker that stops begins nothing: it
// keeps them until it leaves the group.
func (m *member) assigned(generation int32, assigned []*kafka.Assignment) {
	m.log.Info("assigned partitions", "generation", generation, "partitions", partitionsOf(assigned))
	if m.stopping {
		return
	}
	m.setState("running")
	var started []*partition
	for _, a := range assigned {
		// The news that the earlier assignment is over may come later than this.
		if earlier := m.parts[a.Partition]; earlier != nil {
			m.forget(earlier)
		}
		p := newPartition(m.hard, a)
		m.keep(p)
		started = append(started, p)
	}
	if len(started) > 0 {
		go m.acquire(started)
	}
}

// keep makes p the partition's assignment.
func (m *member) keep(p *partition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[p.id] = p
}

// held returns the state of an assignment, nil if this side has ended it.
func (m *member) held(a *kafka.Assignment) *partition {
	if p := m.parts[a.Partition]; p != nil && p.assignment == a {
		return p
	}
	return nil
}

func partitionsOf(assigned []*kafka.Assignment) []int32 {
	ids := make([]int32, 0, len(assigned))
	for _, a := range assigned {
		ids = append(ids, a.Partition)
	}
	return ids
}

// revoked begins to drain partitions that another member is to have.
func (m *member) revoked(revoked []*kafka.Assignment) {
	m.log.Info("draining revoked partitions", "partitions", partitionsOf(revoked))
	var idle []*kafka.Assignment
	for _, a := range revoked {
		if p := m.held(a); p != nil {
			p.revoked = true
			m.drain(p)
		} else {
			idle = append(idle, a)
		}
	}
	if len(idle) > 0 {
		go m.group.Release(idle) // it waits for commits under way
	}
}

// lost drops partitions that have another owner already: their records' late
// results count for nothing here.
func (m *member) lost(lost []*kafka.Assignment, err error) {
	m.log.Info("lost partitions; their next owners repeat what was in flight",
		"partitions", partitionsOf(lost), "reason", err.Error())
	for _, a := range lost {
		if p := m.held(a); p != nil {
			m.forget(p)
		}
	}
	if !m.stopping {
		m.setState("joining")
	}
}

// forget ends an assignment and all that belongs to it: its timer, its turn in
// careful reading, and the fetched data that was not dispatched. A later
// assignment of the same partition is left alone. Forgetting twice does nothing.
func (m *member) forget(p *partition) {
	p.giveUp()
	p.to(released)
	p.stopTimer()
	m.leaveTurn(p)
	m.dropSets(p)
	p.abandonChunks()
	if m.parts[p.id] != p {
		return
	}
	m.fetcher.Stop(p.id)
	m.fetcher.Disown(p.id)
	m.mu.Lock()
	delete(m.parts, p.id)
	m.mu.Unlock()
	m.wakeFeeder()
}
