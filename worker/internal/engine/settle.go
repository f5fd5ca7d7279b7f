package engine

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// acked takes the producer's acknowledgements. It is called from the sender's
// goroutines, for a batch of one output partition at a time.
func (m *member) acked(a *kafka.Ack) {
	if a.Err != nil {
		m.refuseAll(a.Origins, a.Err)
		return
	}
	run := settling{m: m, now: time.Now()}
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
	m.e.metrics.RecordsDeadLettered.Add(letters)
	m.e.metrics.RecordsOut.Add(len(a.Origins) - letters)
	m.e.metrics.BytesOut.Add(a.Bytes)
}

// refused takes an output that the brokers will not store.
func (m *member) refused(o batch.Origin, err error) {
	c := o.Owner.(*chunk)
	i := int(o.Index & recordMask)
	if c.part.givenUp() {
		return
	}
	if o.Index&deadLetterBit != 0 {
		m.letterRefused(c, i, failure.Form(o.Index>>formShift&formMask), err)
		return
	}
	m.undeliverable(c, i, err)
}

// settling gathers what happens to records in a row, so that their chunk's
// counters are touched once for those of one chunk, and their partition's once
// for those of one partition.
//
// As soon as its last record is settled a chunk may be freed and used again.
// Its tally keeps the records of this row unsettled until endChunk, and only who
// settles the last one touches it afterwards.
type settling struct {
	m    *member
	now  time.Time
	c    *chunk // nil before the first
	part *partition

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
// or none if ack is nil.
func (s *settling) result(i int, ack *kafka.Ack, k int) {
	if s.c.outcomes != nil && !s.part.givenUp() {
		s.c.outcomes.add(s.m.e, s.c, i, ack, k)
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
	written, bytes, rest := c.written, s.n*c.bytes, c.rest
	if s.tally.End() {
		bytes += rest
		s.m.retire(c)
	}
	s.records, s.bytes = s.records+s.n, s.bytes+bytes
	if !written.IsZero() {
		s.m.e.metrics.ObserveEndToEnd(s.now.Sub(written), int(s.n))
	}
	s.n, s.c = 0, nil
}

// endPartition tells the partition what was settled.
func (s *settling) endPartition() {
	if s.records == 0 {
		return
	}
	m, p := s.m, s.part
	p.settled.Add(s.records)
	m.e.settled.Add(s.records)
	p.bytes.Add(-s.bytes)
	left := p.records.Add(-s.records)
	s.records, s.bytes = 0, 0
	if left == 0 || m.blocked.Load() {
		m.wakeFeeder()
	}
}

// retire frees a chunk whose records are all settled.
func (m *member) retire(c *chunk) {
	c.part.tracker.Retire(&c.span)
	c.caughtUp()
	if c.abandoned {
		return
	}
	if c.Leaked() {
		c.batch.Abandon()
		return
	}
	m.chunks.put(c)
}

// settleOne settles a record that has no output.
func (m *member) settleOne(c *chunk, i int) {
	run := settling{m: m, now: time.Now()}
	run.begin(c)
	run.result(i, nil, 0)
	run.end()
}

func (m *member) settleFiltered(c *chunk, i int) {
	if c.outcomes != nil {
		c.outcomes.fate(i, record.Filtered, nil)
	}
	m.e.metrics.RecordsFiltered.Add(1)
	m.settleOne(c, i)
}
