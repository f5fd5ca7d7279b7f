package kafka

import "errors"

// EpochStart is a leader epoch and the offset of its first record.
type EpochStart struct {
	Offset int64
	Epoch  int32
}

// scan is what a look at the headers of fetched log batches tells: enough to ask
// for what follows while nothing is decoded yet.
type scan struct {
	size int   // bytes to decode; a batch that is cut at the end is left out
	next int64 // the offset to ask for next
	most int   // bytes of the largest batch
	// firstEpoch and lastEpoch are the leader epochs of the first and the last
	// whole batch, -1 if there is none. changes are the others that begin
	// between them.
	firstEpoch, lastEpoch int32
	changes               []EpochStart
	// broken tells that a Set of the records will meet an error: what follows
	// can't be fetched.
	broken bool
	// cut reports that not even the first batch is whole; cutSize is its bytes, 0 if they
	// are unknown.
	cut     bool
	cutSize int
}

// scanBatches looks through records that were asked for from an offset on.
func scanBatches(records []byte, from int64) scan {
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
		s := scan{size: w.pos, next: max(from, w.next), most: most, firstEpoch: firstEpoch, lastEpoch: lastEpoch, changes: changes}
		cut, isCut := errors.AsType[*cutError](err)
		switch {
		case isCut && w.pos == 0:
			s.size, s.cut, s.cutSize = len(records), true, cut.size
		case !isCut && !errors.Is(err, errNoMoreBatches):
			s.size, s.broken = len(records), true
		}
		return s
	}
}
