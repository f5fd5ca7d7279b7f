package engine

import "github.com/millrace-dev/millrace/worker/internal/record"

// sequence shows the chunk's records to the processor's Sequencer, if it has
// one, and leaves out those that it drops. A record that is condemned may have
// crashed the process there, and is dispatched without.
func (m *member) sequence(p *partition, c *chunk) {
	if c.sequenced {
		return
	}
	c.sequenced = true
	kept := c.Records[:0]
	for i := range c.Records {
		rec := &c.Records[i]
		if p.suspect.condemns(rec.Offset) || m.keeps(p, rec) {
			kept = append(kept, *rec)
		}
	}
	c.list(kept)
}

// keeps shows a record to the processor's Sequencer and reports whether it
// is to be dispatched. A record that the Sequencer panics on can't be shown
// again out of its turn: it is dispatched with its attempts used up.
func (m *member) keeps(p *partition, rec *record.Record) (keep bool) {
	keep, err := m.e.code.Sequence(rec)
	if err != nil {
		p.failures.add(rec, m.e.cfg.Failure.MaxAttempts, err)
		return true
	}
	if !keep {
		m.e.metrics.RecordsFiltered.Add(1)
		m.observeFiltered(rec)
	}
	return keep
}

func (m *member) observeFiltered(rec *record.Record) {
	if !m.e.code.HasObserver() {
		return
	}
	m.e.observe(&record.Outcome{
		Input: record.Position{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset},
		Fate:  record.Filtered,
	})
}
