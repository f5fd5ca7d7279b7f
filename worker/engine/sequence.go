package engine

import (
	"fmt"
	"runtime/debug"

	"github.com/millrace-dev/millrace/worker/record"
)

// sequence shows a record to the processor's Sequencer and reports whether it
// is to be dispatched. A record that the Sequencer panics on can't be shown
// again out of its turn: it is dispatched with its attempts used up.
func (m *member) sequence(p *partition, rec *record.Record) (keep bool) {
	defer func() {
		if v := recover(); v != nil {
			err := fmt.Errorf("in Sequence: %w", &PanicError{Value: v, Stack: debug.Stack()})
			p.failures.add(rec, m.e.cfg.Failure.MaxAttempts, err)
			keep = true
		}
	}()
	keep = m.e.sequencer.Sequence(rec)
	if !keep {
		m.e.metrics.RecordsFiltered.Add(1)
		m.observeFiltered(rec)
	}
	return keep
}

func (m *member) observeFiltered(rec *record.Record) {
	if m.e.observer == nil {
		return
	}
	m.e.observer.Observe(&record.Outcome{
		Input: record.Position{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset},
		Fate:  record.Filtered,
	})
}
