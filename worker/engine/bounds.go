package engine

import "math"

// room returns how many records and bytes may be decoded for a partition now;
// no records means none.
//
// Each partition has an equal share of the member's bounds, so that one whose
// records are stuck can't take the room of others. So that decoding doesn't
// degrade to a record at a time while the pool works off a full share, it goes
// on only when an eighth of the share is free. A single record may be larger
// than what is left: it is let through alone.
func (m *member) room(p *partition) (records, bytes int) {
	if records, bytes = m.free(p); records > 0 {
		return records, bytes
	}
	// Looked at again after blocked is set: what settled before that did not
	// wake the feeder, what settles later will.
	m.blocked.Store(true)
	return m.free(p)
}

func (m *member) free(p *partition) (records, bytes int) {
	if !p.tracker.Room() || m.awaitsCommit(p) {
		return 0, 0
	}
	limits := m.e.cfg.InFlight
	parts := int64(len(m.parts))
	if p.is(careful) {
		parts = 1
	}
	shareRecords := max(int64(limits.Records)/parts, 1)
	shareBytes := max(int64(limits.Bytes)/parts, 1)
	usedRecords, usedBytes := m.inFlight()
	freeRecords := min(shareRecords-p.records.Load(), int64(limits.Records)-usedRecords)
	freeBytes := min(shareBytes-p.bytes.Load(), int64(limits.Bytes)-usedBytes)
	if p.records.Load() > 0 && (freeRecords < (shareRecords+7)/8 || freeBytes < (shareBytes+7)/8) {
		return 0, 0
	}
	return int(max(freeRecords, 1)), int(min(max(freeBytes, 1), math.MaxInt32))
}

// inFlight sums up what is in flight in this member.
func (m *member) inFlight() (records, bytes int64) {
	for _, p := range m.parts {
		records += p.records.Load()
		bytes += p.bytes.Load()
	}
	return records, bytes
}

// maxUncommitted bounds, in offsets, how far a partition is read beyond its
// committed offset. So a crash leaves at most that much to search for the
// record that caused it, and duplicates stay bounded when commits fail.
const maxUncommitted = 1 << 17

func (m *member) awaitsCommit(p *partition) bool {
	return p.tracker.Position()-p.commit.committed.Load() >= maxUncommitted
}

// nudgeCommit makes the committer hurry when a partition gets far ahead.
func (m *member) nudgeCommit(p *partition, next int64) {
	if next-p.commit.committed.Load() >= maxUncommitted/2 {
		m.commitSoon()
	}
}
