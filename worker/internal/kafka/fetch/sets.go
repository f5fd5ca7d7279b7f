package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

var errBelowOffset = errors.New("the broker's response has only records below the requested offset")

// setMaker makes sets of the records of responses.
type setMaker struct {
	cfg    *Config
	memory *memory
}

// recordSet makes a set of a partition's records and moves the cursor behind them; nil
// if there are none. It returns false if they have to be asked for again. Needs
// cursorTable.mu.
func (m *setMaker) recordSet(c *cursor, p *responsePartition, failed *failures) (*batch.Set, bool) {
	if p.records == nil {
		failed.end(c)
		return nil, true
	}
	records := p.records.Bytes()[:p.size]
	found := batch.ScanHeaders(records, c.position)
	switch {
	case found.Cut && c.enlarge(max(found.CutSize, 2*len(records))):
		return nil, false
	case found.Cut:
		found.Broken = true
	case found.Next == c.position && !found.Broken:
		failed.add(c, errBelowOffset)
		return nil, false
	}
	failed.end(c)
	src := batch.Source{
		Topic: m.cfg.Topic, Partition: c.partition, Epoch: c.epoch, Offset: c.position,
		ReadCommitted: m.cfg.readCommitted(), Aborted: p.aborted, Pool: m.memory.pool,
		Owner: c.account, BatchLimit: m.memory.budget.BatchLimit(),
	}
	c.account.Batch = int64(found.Most)
	set := batch.NewSet(src, records[:found.Size], p.records)
	p.records = nil
	if found.FirstEpoch >= 0 && found.FirstEpoch != c.lastEpoch {
		set.LeaderEpochs = append(set.LeaderEpochs, batch.EpochStart{Offset: c.position, Epoch: found.FirstEpoch})
	}
	set.LeaderEpochs = append(set.LeaderEpochs, found.Changes...)
	c.lastEpoch = max(found.LastEpoch, c.lastEpoch)
	c.position, c.limit, c.halted = found.Next, 0, found.Broken
	return set, true
}

func (m *setMaker) emptySet(c *cursor) *batch.Set {
	return batch.NewSet(batch.Source{Topic: m.cfg.Topic, Partition: c.partition, Epoch: c.epoch, Offset: c.position, Pool: m.memory.pool}, nil, nil)
}

// haltedSet ends the fetching of a partition with an error for the reader. Needs
// cursorTable.mu.
func (m *setMaker) haltedSet(c *cursor, err error) *batch.Set {
	c.halted = true
	set := m.emptySet(c)
	set.HighWatermark, set.LastStableOffset, set.LogStartOffset = c.shown.high, c.shown.stable, c.shown.start
	set.Err = err
	return set
}

// haltAll ends the fetching of partitions with an error for the reader. Needs
// cursorTable.mu.
func (m *setMaker) haltAll(cursors []*cursor, err error) []delivery {
	var out []delivery
	for _, c := range cursors {
		if !c.dropped {
			out = append(out, c.spend(m.haltedSet(c, fmt.Errorf("topic %q, partition %d: %w", m.cfg.Topic, c.partition, err))))
		}
	}
	return out
}

// setOutlet delivers sets to the reader.
type setOutlet struct {
	sets  chan *batch.Set
	table *cursorTable
	ctx   context.Context // ends with Fetcher.Close
}

// deliver hands a set to the reader, unless its partition was stopped.
func (o *setOutlet) deliver(d delivery) {
	o.table.mu.Lock()
	dropped := d.cursor.dropped
	o.table.mu.Unlock()
	if dropped {
		d.set.Release()
		return
	}
	select {
	case o.sets <- d.set:
	case <-o.ctx.Done():
		d.set.Release()
		return
	}
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	d.cursor.busy = false
	if b := d.cursor.broker; b != nil {
		b.changed.Broadcast()
	}
}
