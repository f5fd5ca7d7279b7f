package engine

import (
	"errors"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// decoder makes chunks of the fetched sets, and enters them in the partitions' books.
// Only the feeder's goroutine has it.
type decoder struct {
	proc    *process
	mail    *mailbox
	room    *room
	chunks  *chunks
	commits *committer
	// observer takes the outcomes of records that the Sequencer drops.
	observer *observer

	nextNumber uint32 // of a chunk
}

// next decodes the partition's next chunk of at most limit records and enters it in
// the partition's books. It returns nil if nothing is fetched, the bounds allow no
// more, or no record of it is left to dispatch; and an error if the data is damaged.
func (d *decoder) next(r *reader, limit int) (*chunk, error) {
	for {
		if r.ahead == nil {
			if ok, err := d.decodeAhead(r, limit); !ok {
				return nil, err
			}
		}
		c := r.ahead
		if !r.covered(c) {
			return nil, nil
		}
		d.sequence(r, c)
		if !r.tracker.Fits(c.offsets) {
			// Asked again after blocked is set, as in room.of.
			d.mail.blocked.Store(true)
			if !r.tracker.Fits(c.offsets) {
				return nil, nil
			}
		}
		r.ahead = nil
		if d.enter(r, c) {
			return c, nil
		}
	}
}

// decodeAhead decodes r.ahead, if the bounds allow.
func (d *decoder) decodeAhead(r *reader, limit int) (bool, error) {
	if !r.nextSet() {
		return false, nil
	}
	c, err := d.decode(r, limit)
	for errors.Is(err, batch.ErrNoRoom) {
		// The log batch takes more than was expected. Its set knows how much now.
		c, err = d.decode(r, limit)
	}
	if err != nil || c == nil {
		return false, err
	}
	r.expect = len(c.batch.Records)
	d.admit(r, c)
	r.ahead = c
	return true, nil
}

// decode decodes a chunk from r.set. It returns nil if the bounds don't allow it.
func (d *decoder) decode(r *reader, limit int) (*chunk, error) {
	if !d.room.toUnpack(r) {
		r.paused.Store(true)
		return nil, nil
	}
	records, bytes := d.room.of(r)
	r.paused.Store(records <= 0)
	if records <= 0 {
		return nil, nil
	}
	c := d.chunks.get(r.expect)
	if err := r.set.Next(&c.batch, min(records, limit), bytes); err != nil {
		d.chunks.put(c)
		return nil, err
	}
	return c, nil
}

// admit leaves out of the chunk the records that were settled before a restart.
func (d *decoder) admit(r *reader, c *chunk) {
	records := c.batch.Records
	d.proc.metrics.RecordsIn.Add(len(records))
	d.proc.metrics.OffsetsWithoutRecord.Add(int(c.batch.Next-c.batch.First) - len(records))
	d.proc.metrics.BytesIn.Add(c.batch.Bytes)
	c.sequenced = !d.proc.code.HasSequencer()
	if r.tracker.Resuming() {
		kept := records[:0]
		for i := range records {
			if !r.tracker.Resumed(records[i].Offset) {
				kept = append(kept, records[i])
			}
		}
		d.proc.metrics.OffsetsSettledBefore.Add(len(records) - len(kept))
		records = kept
	}
	c.list(records)
}

// sequence shows the chunk's records to the processor's Sequencer, if it has
// one, and leaves out those that it drops. A record that is condemned may have
// crashed the process there, and is dispatched without.
func (d *decoder) sequence(r *reader, c *chunk) {
	if c.sequenced {
		return
	}
	c.sequenced = true
	c.dropped = c.dropped[:0]
	kept := c.Records[:0]
	for i := range c.Records {
		rec := &c.Records[i]
		if r.search.suspect.condemns(rec.Offset) || d.keeps(r, rec) {
			kept = append(kept, *rec)
		} else {
			c.dropped = append(c.dropped, rec.Offset)
		}
	}
	d.proc.metrics.RecordsFiltered.Add(len(c.dropped))
	c.list(kept)
}

// keeps shows a record to the processor's Sequencer and reports whether it
// is to be dispatched. A record that the Sequencer panics on can't be shown
// again out of its turn: it is dispatched with its attempts used up.
func (d *decoder) keeps(r *reader, rec *record.Record) (keep bool) {
	keep, err := d.proc.code.Sequence(rec)
	if err != nil {
		r.failures.add(rec, d.proc.cfg.Failure.MaxAttempts, err)
		return true
	}
	return keep
}

// settleDropped admits the chunk, which settles the records that the Sequencer has dropped,
// and tells the OutcomeObserver, if there is one, about them.
func (d *decoder) settleDropped(r *reader, c *chunk) {
	if d.observer.keep {
		d.observer.ending.RLock()
		defer d.observer.ending.RUnlock()
	}
	for _, offset := range c.dropped {
		d.observer.add(record.Outcome{
			Input: record.Position{Topic: d.proc.cfg.Input.Topic, Partition: r.id, Offset: offset}, Fate: record.Filtered,
		})
	}
	r.tracker.Admit(&c.span, c.offsets, c.batch.Next)
}

// enter puts a decoded chunk into the partition's books and reports whether it
// has records to dispatch.
func (d *decoder) enter(r *reader, c *chunk) bool {
	next, bytes, n := c.batch.Next, int64(c.batch.Bytes), int64(len(c.Records))
	if len(c.dropped) > 0 && d.proc.code.HasObserver() {
		d.settleDropped(r, c)
	} else {
		r.tracker.Admit(&c.span, c.offsets, next)
	}
	d.commits.nudge(r.partition, next)
	r.nudgeReach(next)
	if n == 0 {
		d.chunks.put(c)
		return false
	}
	c.part, c.Lanes, c.Cancelled = r.partition, r.lanes, &r.cancelled
	c.number = d.nextNumber
	d.nextNumber++
	c.meanBytes, c.extraBytes, c.timestamp = bytes/n, bytes%n, c.Records[0].Timestamp
	if d.proc.code.HasObserver() {
		if c.outcomes == nil {
			c.outcomes = &outcomes{}
		}
		c.outcomes.reset(len(c.Records))
	}
	r.records.Add(n)
	r.bytes.Add(bytes)
	return true
}
