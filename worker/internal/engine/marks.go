package engine

import "github.com/millrace-dev/millrace/worker/internal/offsets"

// markOpen makes the partition's commits name this owner, and sets which records are
// suspected after the last owner. Nothing may be dispatched before a commit is
// acknowledged.
func (m *member) markOpen(p *partition, position int64, last offsets.State) {
	p.suspect = suspectOf(position, last, !m.e.life.accounts(last.Process))
	if !p.suspect.any() {
		p.reach.margin.Store(minMargin)
	}
	mark := p.suspect.mark(false)
	p.tracker.Mark(func(marks *offsets.Marks) {
		marks.Open, marks.Process, marks.Reach, marks.Suspicion = true, m.e.life.process, position, mark
	})
}

// markClosed has the partition's last commit say that it was given up in good
// order.
func (m *member) markClosed(p *partition) {
	mark := p.suspect.mark(false)
	p.tracker.Mark(func(marks *offsets.Marks) { marks.Open, marks.Suspicion = false, mark })
}

func (m *member) logSuspect(p *partition) {
	m.log.Info("the process of the partition's last owner died; looking for a record that crashes the worker",
		"partition", p.id, "from", p.tracker.Watermark(), "to", p.suspect.next, "recordsAtOnce", windows[p.suspect.level])
}
