package batch

import "errors"

// EpochStart is a leader epoch and the offset of its first record.
type EpochStart struct {
	Offset int64
	Epoch  int32
}

// Scan is what a look at the headers of fetched log batches tells: enough to ask
// for what follows while nothing is decoded yet.
type Scan struct {
	Size int   // bytes to decode; a batch that is cut at the end is left out
	Next int64 // the offset to ask for next
	Most int   // bytes of the largest batch
	// firstEpoch and lastEpoch are the leader epochs of the first and the last
	// whole batch, -1 if there is none. changes are the others that begin
	// between them.
	FirstEpoch, LastEpoch int32
	Changes               []EpochStart
	// broken tells that a Set of the records will meet an error: what follows
	// can't be fetched.
	Broken bool
	// cut reports that not even the first batch is whole; cutSize is its bytes, 0 if they
	// are unknown.
	Cut     bool
	CutSize int
}

// ScanHeaders looks through records that were asked for from an offset on.
func ScanHeaders(records []byte, from int64) Scan {
	w := batchWalk{data: records}
	most, firstEpoch, lastEpoch := 0, int32(-1), int32(-1)
	var changes []EpochStart
	for {
		h, err := w.peek()
		if err == nil {
			most = max(most, h.size)
			epoch := h.leaderEpoch()
			if w.pos == 0 {
				firstEpoch = epoch
			} else if epoch != lastEpoch {
				changes = append(changes, EpochStart{Offset: h.base, Epoch: epoch})
			}
			lastEpoch = epoch
			w.pass(&h)
			continue
		}
		s := Scan{Size: w.pos, Next: max(from, w.next), Most: most, FirstEpoch: firstEpoch, LastEpoch: lastEpoch, Changes: changes}
		cut, isCut := errors.AsType[*cutError](err)
		switch {
		case isCut && w.pos == 0:
			s.Size, s.Cut, s.CutSize = len(records), true, cut.size
		case !isCut && !errors.Is(err, errNoMoreBatches):
			s.Size, s.Broken = len(records), true
		}
		return s
	}
}
