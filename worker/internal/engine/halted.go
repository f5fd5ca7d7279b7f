package engine

import (
	"time"

	"github.com/go-logr/logr"
)

// A partition that can't be read on is halted: its records in flight are finished
// and committed, and the member keeps it, so that it does not move from pod to pod.
// All other partitions go on.

// lookAgainInterval is how long a partition stays halted before it is fetched
// again. The damage may be gone by then: its leader has moved to a healthy
// replica, or retention has passed the place.
var lookAgainInterval = time.Minute

// readingHalt holds why a partition is halted, and since when for that reason.
type readingHalt struct {
	err   error
	since time.Time
}

// halts stop the reading of partitions. Only the feeder's goroutine has them.
type halts struct {
	log   logr.Logger
	topic string
	mail  *mailbox
}

// halt halts a partition until it is given up. The error names the place and says
// how to go on.
func (h *halts) halt(r *reader, err error) {
	if !r.inState(active, careful, halted) {
		return
	}
	r.stopFetching()
	r.dropSets()
	r.become(halted)
	if last := r.halt.Load(); last == nil || last.err.Error() != err.Error() {
		r.halt.Store(&readingHalt{err: err, since: time.Now()})
		h.log.Error(err, "halted a partition; all others go on", "topic", h.topic, "partition", r.id,
			"offset", r.tracker.Position())
	}
	h.mail.wake.Notify()
}

// haltAndLookAgain halts a partition for a reason that may pass.
func (h *halts) haltAndLookAgain(r *reader, err error) {
	h.halt(r, err)
	h.lookAgainLater(r)
}

// lookAgainLater fetches a halted partition again after lookAgainInterval.
func (h *halts) lookAgainLater(r *reader) {
	p := r.partition
	time.AfterFunc(lookAgainInterval, func() {
		h.mail.post(func(f *feeder) {
			if r := f.holdings.of(p); r != nil && r.inState(halted) {
				r.fetchOn()
			}
		})
	})
}

// end goes on with the reading of a halted partition.
func (h *halts) end(r *reader) {
	r.halt.Store(nil)
	r.become(active)
	if r.search.suspect.any() {
		r.become(careful)
	}
	h.log.Info("reading a halted partition again", "topic", h.topic, "partition", r.id, "offset", r.tracker.Position())
}
