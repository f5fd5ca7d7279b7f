package engine

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// reset goes on where the log still has records after an offset has turned out
// to be outside it.
func (m *member) reset(p *partition, gone *kafka.OffsetOutOfRangeError) {
	log := m.log.WithValues("topic", gone.Topic, "partition", p.id, "offset", gone.Offset, "logStart", gone.LogStart)
	if gone.LogStart > p.tracker.Position() {
		log.Error(gone, "records were deleted by the topic's retention before they were read; going on at the log's start")
		m.skipTo(p, gone.LogStart)
		return
	}
	log.Error(gone, "the log is shorter than what was read of it (was the topic made anew?); starting as for a new group")
	go m.restart(p)
}

// skipTo settles everything below next.
func (m *member) skipTo(p *partition, next int64) {
	c := m.chunks.get(0)
	p.tracker.Admit(&c.span, nil, next)
	m.chunks.put(c)
	p.epoch = m.fetcher.Start(p.id, next)
}

// restart exchanges the partition's assignment for one that begins at the
// start offset, which is below what was committed.
func (m *member) restart(p *partition) {
	for {
		ctx, cancel := context.WithTimeout(m.hard, 10*time.Second)
		starts, err := m.listStart(ctx, []int32{p.id})
		cancel()
		if err == nil {
			m.post(func() { m.replace(p, starts[p.id]) })
			return
		}
		m.log.Info("could not read the start offset; trying again", "partition", p.id, "error", err.Error())
		select {
		case <-m.hard.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func (m *member) replace(old *partition, start int64) {
	if m.parts[old.id] != old || !old.is(active, careful, halted) {
		return
	}
	m.forget(old)
	p := newPartition(old.assignment)
	m.keep(p)
	m.prepare(p, kafka.Committed{Offset: -1}, start)
	p.tracker.SetOpen(true)
	m.acquired(p)
}

// corrupt takes a set that can't be decoded. It is fetched once more, in case
// the damage was done on the way; damage in the log halts the partition.
func (m *member) corrupt(p *partition, err error) {
	position := p.tracker.Position()
	if p.corruptAt == position+1 || p.is(halted) {
		m.haltAndLookAgain(p, err)
		return
	}
	m.dropSets(p)
	m.fetcher.Stop(p.id)
	p.corruptAt = position + 1 // so that zero is none
	m.log.Info("fetched data is damaged; fetching it again", "partition", p.id, "error", err.Error())
	p.epoch = m.fetcher.Start(p.id, position)
}
