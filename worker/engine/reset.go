package engine

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
