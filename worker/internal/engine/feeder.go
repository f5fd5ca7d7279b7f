package engine

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// feed is the feeder: it takes what was fetched, decodes as much of it as the
// bounds allow and dispatches it. It returns when the member has stopped and
// every partition is given up.
func (m *member) feed(ctx context.Context) {
	stop := ctx.Done()
	for {
		m.runPosted()
		m.passTurns()
		m.closeDrained()
		m.restHalted()
		if m.stopped() {
			return
		}
		m.feedRound()
		select {
		case s := <-m.fetcher.Sets():
			m.fetched(s)
		case <-m.wake:
		case <-stop:
			stop = nil
			m.beginStop()
		case <-m.hardDone():
			m.abandonAll()
		}
	}
}

// hardDone is the end of all waiting, once.
func (m *member) hardDone() <-chan struct{} {
	if m.abandoned {
		return nil
	}
	return m.hard.Done()
}

// abandonAll gives up everything because no drain could succeed.
func (m *member) abandonAll() {
	m.abandoned, m.stopping = true, true
	for _, p := range m.parts {
		m.forget(p)
	}
}

// fetched takes a set for its partition, or frees it if the partition has been
// given up or restarted since it was asked for.
func (m *member) fetched(s *batch.Set) {
	p := m.parts[s.Partition]
	if p == nil || !p.is(active, careful, halted) || s.Epoch != p.epoch {
		s.Release()
		return
	}
	if s.Err != nil {
		m.fetchFailed(p, s)
		return
	}
	m.endMoved(p, s)
	p.epochs.add(s.LeaderEpochs, p.commit.committed.Load())
	p.outOfRange = 0
	if end := p.end.readable.Load(); end >= 0 {
		p.suspect.limit(end)
	}
	p.waiting = append(p.waiting, s)
	if p.is(halted) {
		m.lookedAgain(p)
	}
}

// fetchFailed takes an error that does not pass by itself. One that concerns
// everything the worker reads ends the worker; any other halts its partition.
func (m *member) fetchFailed(p *partition, s *batch.Set) {
	defer s.Release()
	var gone *kafka.OffsetOutOfRangeError
	var cut *kafka.TruncatedError
	var recreated *kafka.TopicRecreatedError
	switch {
	case errors.As(s.Err, &cut):
		m.fetcher.Stop(p.id)
		m.truncated(p, cut.Offset, cut.Divergence)
	case errors.As(s.Err, &recreated):
		m.fetcher.Stop(p.id)
		m.recreated(p, recreated)
	case errors.As(s.Err, &gone):
		m.fetcher.Stop(p.id)
		m.outOfRange(p, gone)
	case errors.Is(s.Err, kafka.ErrNotAuthorized):
		m.e.fail(s.Err, false)
	default:
		m.haltAndLookAgain(p, s.Err)
	}
}

// feedRound dispatches one chunk of each partition in turn until none has
// anything left that the bounds allow. It starts with another partition each
// time, so that none is favoured when the bounds are tight.
func (m *member) feedRound() {
	m.blocked.Store(false)
	parts := m.feedable()
	for progress := true; progress && !m.wake.Pending(); {
		progress = false
		for i := range parts {
			if m.feedPartition(parts[(i+m.rounds)%len(parts)]) {
				progress = true
			}
			if len(m.decoded) >= pushChunks {
				m.push()
			}
		}
	}
	m.push()
	m.rounds++
}

func (m *member) feedable() []*partition {
	m.feedList = m.feedList[:0]
	for _, p := range m.parts {
		if p.is(active, careful) && (p.ahead != nil || p.set != nil || len(p.waiting) > 0 || p.is(careful)) {
			m.feedList = append(m.feedList, p)
		}
	}
	return m.feedList
}

// feedPartition dispatches one chunk and reports whether it did.
func (m *member) feedPartition(p *partition) bool {
	if p.is(careful) {
		return m.feedCareful(p)
	}
	c := m.decode(p, maxChunk)
	if c == nil {
		return false
	}
	m.decoded = append(m.decoded, &c.Chunk)
	return true
}

// pushChunks is how many chunks are pushed at once, if there are as many:
// waking goroutines that have run out of work costs more than they take for a
// few light records.
const pushChunks = 8

func (m *member) push() {
	if len(m.decoded) == 0 {
		return
	}
	m.pool.Push(m.decoded...)
	clear(m.decoded)
	m.decoded = m.decoded[:0]
}

// decode decodes the partition's next chunk of at most limit records and
// enters it in the partition's books. It returns nil if there is nothing
// fetched, the bounds allow no more, or nothing is left to dispatch of it.
func (m *member) decode(p *partition, limit int) *chunk {
	for {
		if p.ahead == nil && !m.decodeAhead(p, limit) {
			return nil
		}
		c := p.ahead
		if !m.covered(p, c) {
			return nil
		}
		m.sequence(p, c)
		if !p.tracker.Fits(c.offsets) {
			// Looked at again after blocked is set, as in room.
			m.blocked.Store(true)
			if !p.tracker.Fits(c.offsets) {
				return nil
			}
		}
		p.ahead = nil
		if m.enter(p, c) {
			return c
		}
	}
}

// decodeAhead decodes p.ahead, if the bounds allow.
func (m *member) decodeAhead(p *partition, limit int) bool {
	if !m.nextSet(p) {
		return false
	}
	c, err := m.decodeNext(p, limit)
	for errors.Is(err, batch.ErrNoRoom) {
		// The log batch takes more than was expected. Its set knows how much now.
		c, err = m.decodeNext(p, limit)
	}
	if err != nil {
		m.corrupt(p, err)
		return false
	}
	if c == nil {
		return false
	}
	p.expect = len(c.batch.Records)
	m.admit(p, c)
	p.ahead = c
	return true
}

// decodeNext decodes a chunk from p.set. It returns nil if the bounds don't allow it.
func (m *member) decodeNext(p *partition, limit int) (*chunk, error) {
	if !m.mayUnpack(p) {
		p.paused.Store(true)
		return nil, nil
	}
	records, bytes := m.room(p)
	p.paused.Store(records <= 0)
	if records <= 0 {
		return nil, nil
	}
	c := m.chunks.get(p.expect)
	if err := p.set.Next(&c.batch, min(records, limit), bytes); err != nil {
		m.chunks.put(c)
		return nil, err
	}
	return c, nil
}

// nextSet makes sure that p.set has something to decode. As soon as a set is
// begun the next one is asked for, so that it is there when this one is done.
func (m *member) nextSet(p *partition) bool {
	for p.set == nil || p.set.Done() {
		if p.set != nil {
			p.set.Release()
			p.set = nil
		}
		if len(p.waiting) == 0 {
			m.passTurn(p)
			return false
		}
		p.set = p.waiting[0]
		p.waiting = append(p.waiting[:0], p.waiting[1:]...)
		m.fetcher.Ask(p.id)
	}
	return true
}

// admit leaves out of the chunk what was settled before a restart.
func (m *member) admit(p *partition, c *chunk) {
	records := c.batch.Records
	m.e.metrics.RecordsIn.Add(len(records))
	m.e.metrics.OffsetsWithoutRecord.Add(int(c.batch.Next-c.batch.First) - len(records))
	m.e.metrics.BytesIn.Add(c.batch.Bytes)
	c.sequenced = !m.e.code.HasSequencer()
	if p.tracker.Resuming() {
		kept := records[:0]
		for i := range records {
			if !p.tracker.Resumed(records[i].Offset) {
				kept = append(kept, records[i])
			}
		}
		m.e.metrics.OffsetsSettledBefore.Add(len(records) - len(kept))
		records = kept
	}
	c.list(records)
}

// enter puts a decoded chunk into the partition's books and reports whether it
// has records to dispatch.
func (m *member) enter(p *partition, c *chunk) bool {
	next, bytes, n := c.batch.Next, int64(c.batch.Bytes), int64(len(c.Records))
	p.tracker.Admit(&c.span, c.offsets, next)
	m.nudgeCommit(p, next)
	m.nudgeReach(p, next)
	if n == 0 {
		m.chunks.put(c)
		return false
	}
	c.part, c.Lanes, c.Cancelled = p, p.lanes, &p.cancelled
	c.number = m.nextNumber
	m.nextNumber++
	c.bytes, c.rest, c.written = bytes/n, bytes%n, c.Records[0].Timestamp
	if m.e.code.HasObserver() {
		if c.outcomes == nil {
			c.outcomes = &outcomes{}
		}
		c.outcomes.reset(len(c.Records))
	}
	p.records.Add(n)
	p.bytes.Add(bytes)
	return true
}
