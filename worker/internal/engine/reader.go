package engine

import (
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
)

// reader is the feeder's side of a partition. Other goroutines have the partition
// only, and no way from there to the reader: they post to the feeder.
type reader struct {
	*partition
	fetcher *fetch.Fetcher
	chunks  *chunks
	commits *committer

	epoch   uint64       // of the fetcher's present start
	set     *batch.Set   // being decoded
	waiting []*batch.Set // fetched ahead
	ahead   *chunk       // decoded, and waiting to be dispatched
	expect  int          // records in the last chunk
	// corruptAt is 1 + the position of the last damage, 0 for none.
	corruptAt int64
	// outOfRange counts how often in a row the log had no record to ask for.
	outOfRange int
	askAgain   backoff.Backoff // after such an answer

	turning *turning // how the log goes on; nil if it has no gap
	search  search

	// reachAsked is the acknowledged reach at the last request for a higher one.
	reachAsked   int64
	reachAskedAt time.Time

	told       bool        // the PartitionHolder knows of the assignment
	revoked    bool        // by the group, which waits for the release
	drainTimer *time.Timer // nil before the drain
	drainUntil time.Time   // zero before the drain
	// awaitsAttempts is set while the halted partition waits for attempts under way.
	awaitsAttempts bool
}

// become changes the state. Only the feeder may do so, since it makes decisions by
// the state that it sees.
func (r *reader) become(s partitionState) { r.state.Store(int32(s)) }

// fetchFrom starts fetching at offset.
func (r *reader) fetchFrom(offset int64) { r.epoch = r.fetcher.StartAt(r.id, r.at(offset)) }

// fetchOn starts fetching behind the last record that was decoded.
func (r *reader) fetchOn() { r.fetchFrom(r.tracker.Position()) }

func (r *reader) stopFetching() { r.fetcher.Stop(r.id) }

// add takes a fetched set.
func (r *reader) add(s *batch.Set, readCommitted bool) {
	r.end.moved(s, readCommitted)
	r.epochs.add(s.LeaderEpochs, r.commit.committed.Load())
	r.outOfRange = 0
	r.askAgain.Reset()
	if end := r.end.readable.Load(); end >= 0 {
		r.search.suspect.limit(end)
	}
	r.waiting = append(r.waiting, s)
}

// hasInput reports whether fetched records wait to be dispatched.
func (r *reader) hasInput() bool { return r.ahead != nil || r.set != nil || len(r.waiting) > 0 }

// nextSet makes sure that r.set has something to decode. It asks for the next set as
// soon as one is begun, so that the next one is there when this one is done.
func (r *reader) nextSet() bool {
	for r.set == nil || r.set.Done() {
		if r.set != nil {
			r.set.Release()
			r.set = nil
		}
		if len(r.waiting) == 0 {
			return false
		}
		r.set = r.waiting[0]
		r.waiting = append(r.waiting[:0], r.waiting[1:]...)
		r.fetcher.Ask(r.id)
	}
	return true
}

// dropSets frees the fetched data that the tracker does not know, and forgets how
// the log goes on behind it.
func (r *reader) dropSets() {
	r.turning = nil
	if r.ahead != nil {
		r.chunks.put(r.ahead)
		r.ahead = nil
		r.search.drop()
	}
	if r.set != nil {
		r.set.Release()
		r.set = nil
	}
	for _, s := range r.waiting {
		s.Release()
	}
	r.waiting = nil
}

// fetchAgain drops a set that can't be decoded and fetches it once more, in case it
// was damaged on the way. It reports false if the data was fetched again already, or
// fetching again can't help.
func (r *reader) fetchAgain(err error) bool {
	position := r.tracker.Position()
	var tooLarge *batch.TooLargeError
	if r.corruptAt == position+1 || r.inState(halted) || errors.As(err, &tooLarge) {
		return false
	}
	r.dropSets()
	r.stopFetching()
	r.corruptAt = position + 1
	r.fetchFrom(position)
	return true
}

func (r *reader) stopDrainTimer() {
	if r.drainTimer != nil {
		r.drainTimer.Stop()
	}
}
