package engine

import "github.com/millrace-dev/millrace/worker/internal/offsets"

// The levels of suspicion, by how many records a window holds. A crash takes
// the search to the next level.
const (
	unsuspected uint8 = iota
	wide
	narrow
	single
	alone // nothing else that is suspected runs in the process
)

var windows = [...]int{wide: maxChunk, narrow: 16, single: 1, alone: 1}

// crashesAlone is the number of times that the process has to die while it tries a
// record alone before the record is given up. Once might be chance. The policy's
// maxAttempts plays no part: each crash costs the attempts of all records in
// the process.
const crashesAlone = 2

// suspect describes the records that may crash the process: those below next that
// are not settled.
type suspect struct {
	next    int64 // ends the suspected offsets
	level   uint8
	crashes int  // of the process while it tried the record at next-1 alone
	limited bool // next is not beyond the log's end as it was after the crash
}

// suspectOf reads the suspicion from the last owner's commit. died is set if the owner's
// process ended without a known reason. If it had the partition open, the records that
// it may have had in flight are suspected.
func suspectOf(watermark int64, state offsets.State, died bool) suspect {
	var s suspect
	wasAlone := false
	if before := state.Suspicion; before != nil {
		s = suspect{next: before.Next, level: min(before.Level, alone), crashes: before.Crashes}
		wasAlone = before.Alone
	}
	inFlight := state.Unsettled(watermark, state.Reach)
	if !state.Open || !died || inFlight == 0 {
		return s
	}
	if state.Reach != s.next { // it tried other records than before
		s.next, s.crashes = state.Reach, 0
	}
	if wasAlone {
		s.crashes++
	}
	s.level = nextLevel(s.level, inFlight)
	return s
}

// any reports whether anything is suspected.
func (s *suspect) any() bool { return s.level != unsuspected }

// mark returns the suspicion as it is committed, nil if there is none.
func (s *suspect) mark(alone bool) *offsets.Suspicion {
	if !s.any() {
		return nil
	}
	return &offsets.Suspicion{Next: s.next, Level: s.level, Crashes: s.crashes, Alone: alone}
}

// limit leaves out the records that the last owner can't have read: those from the end
// of the log on, as the first fetch shows it.
func (s *suspect) limit(end int64) {
	if s.limited || end < 0 {
		return
	}
	s.limited = true
	if end < s.next {
		s.next, s.crashes = end, 0
	}
}

// condemns reports whether the record is proved to crash the process.
func (s *suspect) condemns(offset int64) bool {
	return s.crashes >= crashesAlone && offset == s.next-1
}

// nextLevel narrows a search down to which a crash has left n offsets.
func nextLevel(level uint8, n int64) uint8 {
	if level == unsuspected {
		return wide // most processes that die were killed, and no record is at fault
	}
	for level++; level < alone && int64(windows[level]) >= n; {
		level++
	}
	return min(level, alone)
}
