package batch

import "errors"

// EpochStart is a leader epoch and the offset of its first record.
type EpochStart struct {
	Offset int64
	Epoch  int32
}

// Scan is a summary of the headers of fetched log batches. It has the position of the
// next request, before anything is decoded.
type Scan struct {
	Size int   // bytes to decode; a batch that is cut at the end is left out
	Next int64 // the offset to ask for next
	Most int   // bytes of the largest batch
	// FirstEpoch and LastEpoch are the leader epochs of the first and the last whole
	// batch, -1 if there is none. Changes are the epochs that begin between them.
	FirstEpoch, LastEpoch int32
	Changes               []EpochStart
	// Broken is true if a Set of the records will fail: the offsets after it can't be
	// fetched.
	Broken bool
	// Cut is true if not even the first batch is whole. CutSize is its size in bytes, 0
	// if it is unknown.
	Cut     bool
	CutSize int
}

// ScanHeaders summarizes the records that a fetch from an offset returned.
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
