package engine

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// halting remembers the records of a partition that can't be settled, and because
// of which the worker ends.
type halting struct {
	mu      sync.Mutex
	records []haltedAt // guarded by mu

	waits bool // haltPartition waits for attempts under way; only the feeder uses it
}

type haltedAt struct {
	offset int64
	key    []byte
}

func (h *halting) add(rec *record.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(h.records, haltedAt{offset: rec.Offset, key: slices.Clone(rec.Key)})
}

// passes reports whether the order allows rec's result: with Key it must not
// overtake a record of its key, with Partition none at all.
func (h *halting) passes(rec *record.Record, ordering config.Ordering) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !slices.ContainsFunc(h.records, func(at haltedAt) bool {
		switch {
		case at.offset > rec.Offset || ordering == config.Unordered:
			return false
		case ordering == config.Key:
			return bytes.Equal(at.key, rec.Key) && (at.key == nil) == (rec.Key == nil)
		default:
			return true
		}
	})
}

// giveUp ends the work on the partition's records: no attempt begins, and the
// results of those under way are dropped. What the producer has already can't be
// recalled; it is written, and counts for nothing.
func (p *partition) giveUp() {
	p.cancelled.Store(true)
	p.disown()
}

// abandonChunks gives up the memory of what is in flight: most of it is never
// settled, and would count towards the bounds for ever. Attempts that are under
// way may still read it, so it is not used again.
func (p *partition) abandonChunks() {
	if p.records.Load() == 0 {
		return
	}
	var left []*chunk
	p.tracker.Unsettled(func(s *offsets.Span) {
		if c := s.Owner.(*chunk); !c.abandoned {
			c.abandoned = true // so that retire leaves the memory alone
			left = append(left, c)
		}
	})
	p.stragglers.abandon(left)
}

// givenUp reports whether the partition's results are dropped.
func (p *partition) givenUp() bool { return p.owned.Err() != nil }

// wanted reports whether the result of a record still counts, after its
// partition was cancelled.
func (m *member) wanted(c *chunk, i int) bool {
	return !c.part.givenUp() && c.part.halting.passes(&c.Records[i], m.e.cfg.Ordering)
}

// halt stops the partition at record i and ends the worker. No attempt of the
// partition begins any more.
func (m *member) halt(c *chunk, i int, attempts int, err error) {
	rec := &c.Records[i]
	halt := &HaltError{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Attempts: attempts, Err: err}
	p := c.part
	p.halting.add(rec)
	p.cancelled.Store(true)
	m.post(func() { m.haltPartition(p, halt) })
}

// haltPartition ends the worker because of a record that can't be settled. Attempts
// under way in its partition are finished and committed; records whose attempt has
// not begun are left to the next owner. So is a record of a partition that was given
// up.
func (m *member) haltPartition(p *partition, halt *HaltError) {
	if p.is(closing, released) {
		return
	}
	m.e.fail(halt, false)
	m.drain(p)
	if p.halting.waits {
		return
	}
	p.halting.waits = true
	go func() {
		ctx, cancel := context.WithTimeout(m.hard, m.e.cfg.DrainTimeout.Duration)
		defer cancel()
		if m.pool.Quiesce(ctx) == nil {
			_ = m.writers.flush(ctx) // what is not written by then is repeated
		}
		m.post(func() {
			if p.is(draining) {
				m.close(p)
			}
		})
	}()
}
