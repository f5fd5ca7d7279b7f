package engine

import (
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/record"
)

// deadLetterBit marks in an Origin's index that the output is a dead letter.
const deadLetterBit = 1 << 30

// acked takes the producer's acknowledgements. It is called from the sender's
// goroutines, for a batch of one output partition at a time.
func (m *member) acked(a *kafka.Ack) {
	if a.Err != nil {
		for _, o := range a.Origins {
			m.refused(o, a.Err)
		}
		return
	}
	var run settling
	letters := 0
	for k, o := range a.Origins {
		i := int(o.Index &^ deadLetterBit)
		if c := o.Owner.(*chunk); c != run.c {
			run.end(m)
			run.begin(c, i)
		}
		if o.Index&deadLetterBit != 0 {
			letters++
		}
		run.result(m, i, a, k)
	}
	run.end(m)
	m.e.metrics.RecordsDeadLettered.Add(letters)
	m.e.metrics.RecordsOut.Add(len(a.Origins) - letters)
	m.e.metrics.BytesOut.Add(a.Bytes)
}

// refused takes an output that the brokers will not store.
func (m *member) refused(o kafka.Origin, err error) {
	c := o.Owner.(*chunk)
	i := int(o.Index &^ deadLetterBit)
	if o.Index&deadLetterBit != 0 {
		m.halt(c, i, m.attempts(c, i), err)
		return
	}
	m.undeliverable(c, i, err)
}

// settling gathers what happens to records of one chunk in a row, so that the
// partition's counters are touched once for many records.
//
// As soon as its last record is settled a chunk may be freed and used again.
// So whatever is needed of it is read by begin, while one record at least is
// still unsettled, and only who settles the last one touches it afterwards.
type settling struct {
	c       *chunk
	part    *partition
	written time.Time // the first record's timestamp
	each    int64     // bytes a record
	n       int64     // settled
	last    bool
}

func (s *settling) begin(c *chunk, i int) {
	*s = settling{c: c, part: c.part, each: c.bytes, written: c.Records[i].Timestamp}
}

// result counts one result of record i: the k-th record of an acknowledgement,
// or none if ack is nil.
func (s *settling) result(m *member, i int, ack *kafka.Ack, k int) {
	if s.c.outcomes != nil {
		s.c.outcomes.add(m.e.observer, s.c, i, ack, k)
	}
	offset := int64(0)
	failing := s.part.failures.any()
	if failing { // or the record need not be looked at, which is a cache miss
		offset = s.c.Records[i].Offset
	}
	settled, last := s.c.span.Done(i)
	if !settled {
		return
	}
	if failing {
		s.part.failures.forget(offset)
	}
	s.n++
	s.last = s.last || last
}

// end tells the partition what was settled, and frees the chunk if that was
// its last record.
func (s *settling) end(m *member) {
	if s.n == 0 {
		return
	}
	p, bytes := s.part, s.n*s.each
	if s.last {
		bytes += s.c.rest
		m.retire(s.c)
	}
	p.settled.Add(s.n)
	m.e.settled.Add(s.n)
	p.bytes.Add(-bytes)
	left := p.records.Add(-s.n)
	if !s.written.IsZero() {
		m.e.metrics.ObserveEndToEnd(time.Since(s.written), int(s.n))
	}
	s.n = 0
	if left == 0 && m.e.recover.pending() {
		m.e.wakeFeeders()
	} else if left == 0 || m.blocked.Load() {
		m.wakeFeeder()
	}
}

// retire frees a chunk whose records are all settled.
func (m *member) retire(c *chunk) {
	c.part.tracker.Retire(&c.span)
	if !c.Leaked() {
		m.chunks.put(c)
	}
}

// settleOne settles a record that has no output.
func (m *member) settleOne(c *chunk, i int) {
	var run settling
	run.begin(c, i)
	run.result(m, i, nil, 0)
	run.end(m)
}

func (m *member) settleFiltered(c *chunk, i int) {
	if c.outcomes != nil {
		c.outcomes.fate(i, record.Filtered, nil)
	}
	m.e.metrics.RecordsFiltered.Add(1)
	m.settleOne(c, i)
}
