package engine

import "github.com/millrace-dev/millrace/worker/kafka"

// assignments is the member as the group sees it. Its methods come from the
// group's goroutine and only post to the feeder.
type assignments member

var _ kafka.MemberHandler = (*assignments)(nil)

// Assigned implements kafka.MemberHandler.
func (a *assignments) Assigned(generation int32, partitions []int32) {
	m := (*member)(a)
	m.e.metrics.Rebalances.Add(1)
	m.post(func() { m.assigned(generation, partitions) })
}

// Revoked implements kafka.MemberHandler.
func (a *assignments) Revoked(_ int32, partitions []int32) {
	m := (*member)(a)
	m.post(func() { m.revoked(partitions) })
}

// Lost implements kafka.MemberHandler.
func (a *assignments) Lost(partitions []int32, err error) {
	m := (*member)(a)
	m.post(func() { m.lost(partitions, err) })
}

func (m *member) assigned(generation int32, partitions []int32) {
	m.log.Info("assigned partitions", "generation", generation, "partitions", partitions)
	m.setState("running")
	var started []*partition
	m.mu.Lock()
	for _, id := range partitions {
		p := newPartition(id)
		m.parts[id] = p
		started = append(started, p)
	}
	m.mu.Unlock()
	if len(started) > 0 {
		go m.acquire(started)
	}
}

// revoked begins to drain partitions that another member is to have.
func (m *member) revoked(partitions []int32) {
	m.log.Info("draining revoked partitions", "partitions", partitions)
	for _, id := range partitions {
		if p := m.parts[id]; p != nil {
			p.revoked = true
			m.drain(p)
		}
	}
}

// lost drops partitions that have another owner already: their records' late
// results count for nothing here.
func (m *member) lost(partitions []int32, err error) {
	m.log.Info("lost partitions; what was in flight will be repeated by their next owners",
		"partitions", partitions, "reason", err.Error())
	for _, id := range partitions {
		if p := m.parts[id]; p != nil {
			m.forget(p)
		}
	}
	if !m.stopping {
		m.setState("joining")
	}
}

// forget ends a partition's assignment on this side. The same partition may
// have been assigned anew since it was released; that one is left alone.
func (m *member) forget(p *partition) {
	p.cancelled.Store(true)
	m.leaveCareful(p)
	m.dropSets(p)
	if m.parts[p.id] != p {
		return
	}
	m.fetcher.Stop(p.id)
	m.mu.Lock()
	delete(m.parts, p.id)
	m.mu.Unlock()
	m.wakeFeeder()
}
