package engine

import (
	"context"
	"errors"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// feeder takes fetched sets, decodes as much of them as the bounds allow and
// dispatches the records. One goroutine, run, has the feeder and everything in it.
// Nothing else refers to it: others reach it by what they post to its mailbox.
type feeder struct {
	proc    *process
	log     logr.Logger
	mail    *mailbox
	fetcher *fetch.Fetcher
	pool    *dispatch.Pool
	working context.Context

	holdings    *holdings
	drains      *drains
	assignments *assignments
	halts       *halts
	gaps        *gaps
	decoder     *decoder

	readCommitted bool
	abandoned     bool
	rounds        int
	feedList      []*reader
	decoded       []*dispatch.Chunk // entered in the books and not pushed yet
}

// run feeds until the member has stopped and every partition is given up.
func (f *feeder) run(ctx context.Context) {
	stop := ctx.Done()
	for {
		for _, do := range f.mail.takePosted() {
			do(f)
		}
		f.passGaps()
		f.drains.closeDrained()
		f.restHalted()
		if f.assignments.over() {
			return
		}
		f.round()
		select {
		case s := <-f.fetcher.Sets():
			f.fetched(s)
		case <-f.mail.wake:
		case <-stop:
			stop = nil
			f.assignments.beginStop()
		case <-f.workDone():
			f.abandoned = true
			f.assignments.abandonAll()
		}
	}
}

// workDone is the end of all waiting, once.
func (f *feeder) workDone() <-chan struct{} {
	if f.abandoned {
		return nil
	}
	return f.working.Done()
}

// fetched takes a set for its partition, or frees it if the partition was given up or
// started again since the fetcher was asked for it.
func (f *feeder) fetched(s *batch.Set) {
	r := f.holdings.readers[s.Partition]
	if r == nil || !r.inState(active, careful, halted) || s.Epoch != r.epoch {
		s.Release()
		return
	}
	if s.Err != nil {
		f.fetchFailed(r, s)
		return
	}
	r.add(s, f.readCommitted)
	if r.inState(halted) {
		f.lookAgain(r)
	}
}

// fetchFailed takes an error that does not pass by itself. One that concerns
// everything the worker reads ends the worker; any other halts its partition.
func (f *feeder) fetchFailed(r *reader, s *batch.Set) {
	defer s.Release()
	var gone *fetch.OffsetOutOfRangeError
	var cut *fetch.TruncatedError
	var recreated *fetch.TopicRecreatedError
	switch {
	case errors.As(s.Err, &cut):
		r.stopFetching()
		f.gaps.truncated(r, cut.Offset, cut.Divergence)
	case errors.As(s.Err, &recreated):
		r.stopFetching()
		f.gaps.recreated(r, recreated)
	case errors.As(s.Err, &gone):
		r.stopFetching()
		f.gaps.outOfRange(r, gone)
	case errors.Is(s.Err, kafka.ErrNotAuthorized):
		f.proc.fail(s.Err, false)
	default:
		f.halts.haltAndLookAgain(r, s.Err)
	}
}

// lookAgain reads a halted partition on if its newly fetched data can be decoded.
func (f *feeder) lookAgain(r *reader) {
	if !r.waiting[0].Done() {
		ok, err := f.decoder.decodeAhead(r, 1)
		if err != nil {
			f.corrupt(r, err)
			return
		}
		if !ok {
			r.stopFetching()
			r.dropSets()
			f.halts.lookAgainLater(r)
			return
		}
	}
	f.halts.end(r)
}

// corrupt takes a set that can't be decoded. Damage in the log halts the partition.
func (f *feeder) corrupt(r *reader, err error) {
	if !r.fetchAgain(err) {
		f.halts.haltAndLookAgain(r, err)
		return
	}
	f.log.Info("fetched data is damaged; fetching it again", "partition", r.id, "error", err.Error())
}

// passGaps passes the gaps of the partitions that wait for their last record in
// flight.
func (f *feeder) passGaps() {
	for _, r := range f.holdings.readers {
		if r.turning != nil {
			f.gaps.pass(r)
		}
	}
}

// restHalted ends the turns of halted partitions that were being read carefully
// when their records have had an attempt.
func (f *feeder) restHalted() {
	for _, r := range f.holdings.readers {
		if !r.inState(halted) || !r.search.suspect.any() {
			continue
		}
		if r.search.close(); !r.search.window.open {
			r.search.leaveTurn()
		}
	}
}

// round dispatches one chunk of each partition in turn until none has
// anything left that the bounds allow. It starts with another partition each
// time, so that none is favoured when the bounds are tight.
func (f *feeder) round() {
	f.mail.blocked.Store(false)
	readers := f.feedable()
	for progress := true; progress && !f.mail.wake.Pending(); {
		progress = false
		for i := range readers {
			if f.feed(readers[(i+f.rounds)%len(readers)]) {
				progress = true
			}
			if len(f.decoded) >= pushChunks {
				f.push()
			}
		}
	}
	f.push()
	f.rounds++
}

func (f *feeder) feedable() []*reader {
	f.feedList = f.feedList[:0]
	for _, r := range f.holdings.readers {
		if r.inState(active, careful) && (r.hasInput() || r.inState(careful)) {
			f.feedList = append(f.feedList, r)
		}
	}
	return f.feedList
}

// feed dispatches one chunk and reports whether it did.
func (f *feeder) feed(r *reader) bool {
	if r.inState(careful) {
		return f.feedCarefully(r)
	}
	c := f.decode(r, maxChunk)
	if c == nil {
		return false
	}
	f.decoded = append(f.decoded, &c.Chunk)
	return true
}

// feedCarefully takes the partition's next step in careful reading and reports
// whether it got anywhere at once.
func (f *feeder) feedCarefully(r *reader) bool {
	s := &r.search
	f.mail.blocked.Store(true)
	s.close()
	if s.done() {
		r.become(active)
		s.end()
		f.log.Info("went through the records that the last owner left; reading on as usual",
			"partition", r.id, "offset", r.tracker.Position())
		return true
	}
	c := f.decode(r, s.size())
	if c == nil {
		if s.idle() {
			s.leaveTurn() // there is nothing to read
		}
		return false
	}
	s.open(c)
	f.decoded = append(f.decoded, &c.Chunk)
	return true
}

// decode returns the partition's next chunk of at most limit records, nil for none.
func (f *feeder) decode(r *reader, limit int) *chunk {
	c, err := f.decoder.next(r, limit)
	if err != nil {
		f.corrupt(r, err)
	}
	if c == nil {
		f.gaps.pass(r)
	}
	return c
}

// pushChunks is how many chunks are pushed at once, if there are as many:
// waking goroutines that have run out of work costs more than they take for a
// few light records.
const pushChunks = 8

func (f *feeder) push() {
	if len(f.decoded) == 0 {
		return
	}
	f.pool.Push(f.decoded...)
	clear(f.decoded)
	f.decoded = f.decoded[:0]
}
