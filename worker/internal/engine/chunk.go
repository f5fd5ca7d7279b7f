package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// maxChunk is the number of records that are decoded, tracked and dispatched at once.
const maxChunk = offsets.MaxSpanRecords

// chunk is a run of records of one partition on its way through the worker,
// with the memory they borrow and their state. It is reused once all of its
// records are settled.
type chunk struct {
	dispatch.Chunk
	batch batch.Batch
	span  offsets.Span
	part  *partition
	// straggler is set while the chunk is among the partition's stragglers.
	straggler atomic.Bool
	// meanBytes is the size of each record towards the bounds on bytes in flight:
	// the mean, so that settling need not look at the record again. The last
	// settled record of the chunk counts extraBytes more, the rest of the division.
	meanBytes, extraBytes int64
	// timestamp is the first record's. It stands for all of them: they were read
	// together.
	timestamp time.Time
	// number spreads records without a key over the output's partitions.
	number   uint32
	offsets  []int64   // of its records
	outcomes *outcomes // nil unless the processor observes them
	alone    bool      // its record is tried alone; see turns
	// abandoned is set when the partition is given up, and the chunk's memory
	// with it; guarded by the tracker's lock until the chunk is retired.
	abandoned bool
	// sequenced is set once the Sequencer has seen the records.
	sequenced bool
	dropped   []int64 // offsets of the records that the Sequencer has dropped
}

// list sets the chunk's records.
func (c *chunk) list(records []record.Record) {
	c.Records, c.offsets = records, c.offsets[:0]
	for i := range records {
		c.offsets = append(c.offsets, records[i].Offset)
	}
}

// chunks keeps used chunks. Chunks that have held few records are kept apart
// from those with room for many: a slow stream keeps many small ones in flight.
type chunks struct {
	small, large sync.Pool
}

const smallChunk = 32

func (cs *chunks) get(expect int) *chunk {
	pool := &cs.large
	if expect <= smallChunk {
		pool = &cs.small
	}
	if c, ok := pool.Get().(*chunk); ok {
		return c
	}
	c := &chunk{}
	c.Owner, c.span.Owner = c, c
	return c
}

func (cs *chunks) put(c *chunk) {
	c.batch.Release()
	c.Reset()
	c.part, c.alone = nil, false
	if cap(c.batch.Records) <= smallChunk {
		cs.small.Put(c)
	} else {
		cs.large.Put(c)
	}
}
