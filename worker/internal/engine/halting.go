package engine

import (
	"bytes"
	"slices"
	"sync"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// unsettleable remembers the records of a partition that can't be settled: because of
// them the worker ends.
type unsettleable struct {
	mu      sync.Mutex
	records []haltedAt // guarded by mu
}

type haltedAt struct {
	offset int64
	key    []byte
}

func (u *unsettleable) add(rec *record.Record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.records = append(u.records, haltedAt{offset: rec.Offset, key: slices.Clone(rec.Key)})
}

// passes reports whether the order allows rec's result. With Key it must not
// overtake a record of its key that can't be settled, with Partition no such record.
func (u *unsettleable) passes(rec *record.Record, ordering config.Ordering) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !slices.ContainsFunc(u.records, func(at haltedAt) bool {
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
// results of attempts under way are dropped. Outputs that the producer has already
// can't be recalled; they are written, and count for nothing.
func (p *partition) giveUp() {
	p.cancelled.Store(true)
	p.disown()
}

// abandonChunks gives up the memory of the records in flight: most of them are never
// settled, and would count towards the bounds for ever. Attempts that are under
// way may still read the memory, so it is not used again.
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

// counts reports whether the result of a record still counts, after its
// partition was cancelled.
func (s *settler) counts(c *chunk, i int) bool {
	return !c.part.givenUp() && c.part.unsettleable.passes(&c.Records[i], s.proc.cfg.Ordering)
}

// halt stops the partition at record i and ends the worker. No attempt of the
// partition begins any more.
func (s *settler) halt(c *chunk, i int, attempts int, err error) {
	rec := &c.Records[i]
	halt := &HaltError{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Attempts: attempts, Err: err}
	p := c.part
	p.unsettleable.add(rec)
	p.cancelled.Store(true)
	s.feeder.post(func(f *feeder) {
		if r := f.holdings.of(p); r != nil {
			f.drains.endHalted(r, halt)
		}
	})
}
