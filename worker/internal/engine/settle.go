package engine

import (
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// settler decides the end of each record: its results are acknowledged, or the
// record is filtered, tried again, dead-lettered, dropped, or halts its partition.
// The goroutines of the pool and of the producers' senders call it.
type settler struct {
	proc    *process
	feeder  *mailbox
	writers *writers
	chunks  *chunks
	// observer takes the outcomes of records.
	observer *observer
	exact    *transactions // nil if delivery is not ExactlyOnce
}

// acked takes the producer's acknowledgements. It is called from the sender's
// goroutines, for a batch of one output partition at a time.
func (s *settler) acked(a *produce.Ack) {
	if a.Err != nil {
		s.refuseAll(a.Origins, a.Err)
		return
	}
	if s.exact != nil {
		s.exact.stored(a.Bytes)
	}
	run := settling{settler: s, now: time.Now()}
	letters := 0
	for k, o := range a.Origins {
		i := int(o.Index & recordMask)
		if c := o.Owner.(*chunk); c != run.c {
			run.begin(c)
		}
		if o.Index&deadLetterBit != 0 {
			letters++
		}
		run.result(i, a, k)
	}
	run.end()
	s.proc.metrics.RecordsDeadLettered.Add(letters)
	s.proc.metrics.RecordsOut.Add(len(a.Origins) - letters)
	s.proc.metrics.BytesOut.Add(a.Bytes)
}

func (s *settler) refuseAll(origins []batch.Origin, err error) {
	if s.exact != nil {
		s.exact.senders.Lock()
		defer s.exact.senders.Unlock()
	}
	for _, o := range origins {
		s.refused(o, err)
	}
}

// refused takes an output that the brokers refuse to store.
func (s *settler) refused(o batch.Origin, err error) {
	c := o.Owner.(*chunk)
	i := int(o.Index & recordMask)
	if c.part.givenUp() {
		return
	}
	if s.exact != nil && (o.Joint || errors.Is(err, produce.ErrNotDelivered)) {
		if o.Index&deadLetterBit != 0 {
			err = &lostLetterError{form: failure.Form(o.Index >> formShift & formMask), err: err}
		}
		s.exact.condemn(c, i, err)
		return
	}
	if o.Index&deadLetterBit != 0 {
		s.letterRefused(c, i, failure.Form(o.Index>>formShift&formMask), err)
		return
	}
	if s.exact != nil {
		s.exact.condemned.add(c.part, c.Records[i].Offset, err)
	}
	s.undeliverable(c, i, err)
}

// settling gathers the results of a row of records, so that a chunk's counters are
// touched once for its records in the row, and a partition's counters once for its
// records.
//
// A chunk may be freed and used again as soon as its last record is settled. The tally
// keeps the records of this row unsettled until endChunk. After that only the goroutine
// that settled the last record touches the chunk.
type settling struct {
	settler *settler
	now     time.Time
	c       *chunk // nil before the first
	part    *partition

	tally offsets.Tally // of c
	n     int64         // settled of c

	records, bytes int64 // settled of part, without those of c
}

func (s *settling) begin(c *chunk) {
	s.endChunk()
	if c.part != s.part {
		s.endPartition()
	}
	s.c, s.part, s.tally = c, c.part, c.span.Tally()
}

// result counts one result of record i: the k-th record of an acknowledgement,
// or the end of a record without a result if ack is nil.
func (s *settling) result(i int, ack *produce.Ack, k int) {
	if s.c.outcomes != nil && !s.part.givenUp() {
		s.c.outcomes.add(s.settler.observer, s.c, i, ack, k)
	}
	if !s.tally.Done(i) {
		return
	}
	s.n++
	if s.part.failures.any() { // or the record need not be looked at, which is a cache miss
		s.part.failures.forget(s.c.Records[i].Offset)
	}
}

func (s *settling) end() {
	s.endChunk()
	s.endPartition()
}

// endChunk settles the records, and frees the chunk if they were its last.
func (s *settling) endChunk() {
	if s.n == 0 {
		return
	}
	c := s.c
	timestamp, bytes, extra := c.timestamp, s.n*c.meanBytes, c.extraBytes
	if s.tally.End() {
		bytes += extra
		s.settler.retire(c)
	}
	s.records, s.bytes = s.records+s.n, s.bytes+bytes
	if !timestamp.IsZero() {
		s.settler.proc.metrics.ObserveEndToEnd(s.now.Sub(timestamp), int(s.n))
	}
	s.n, s.c = 0, nil
}

// endPartition counts the settled records in their partition.
func (s *settling) endPartition() {
	if s.records == 0 {
		return
	}
	settler, p := s.settler, s.part
	if p.settled.Add(s.records) == s.records && settler.exact != nil {
		settler.exact.commits.begun.Notify()
	}
	settler.proc.settled.Add(s.records)
	p.bytes.Add(-s.bytes)
	left := p.records.Add(-s.records)
	s.records, s.bytes = 0, 0
	if left == 0 {
		settler.feeder.wake.Notify()
	} else {
		settler.feeder.progressed()
	}
}

// retire frees a chunk whose records are all settled.
func (s *settler) retire(c *chunk) {
	c.part.tracker.Retire(&c.span)
	c.caughtUp()
	if c.abandoned {
		return
	}
	if c.Leaked() {
		c.batch.Abandon()
		return
	}
	s.chunks.put(c)
}

// settleOne settles a record that has no output.
func (s *settler) settleOne(c *chunk, i int) {
	if s.exact != nil && c.outcomes != nil {
		s.observer.ending.RLock()
		defer s.observer.ending.RUnlock()
	}
	run := settling{settler: s, now: time.Now()}
	run.begin(c)
	run.result(i, nil, 0)
	run.end()
}

func (s *settler) settleFiltered(c *chunk, i int) {
	if c.outcomes != nil {
		c.outcomes.setFate(i, record.Filtered, nil)
	}
	s.proc.metrics.RecordsFiltered.Add(1)
	s.settleOne(c, i)
}

// triedAlone notes that an attempt of a record that is tried alone has ended.
func (s *settler) triedAlone(c *chunk) {
	c.part.aloneTried.Store(true)
	s.feeder.wake.Notify()
}
