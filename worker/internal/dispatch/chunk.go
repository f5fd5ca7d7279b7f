package dispatch

import (
	"slices"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Chunk is a run of records of one partition, in the order of their offsets. The
// pool reads it and never frees it. Its owner may reuse it when all of its records
// are settled and Leaked is false.
type Chunk struct {
	Records []record.Record
	// Lanes keeps the ordering of the chunk's partition; nil means Unordered.
	Lanes *Lanes
	// Cancelled, once true, makes the pool skip the records whose attempts have not
	// begun.
	Cancelled *atomic.Bool
	// Limit, unless it is 0, is how many records may share an attempt with one of
	// the chunk's. Only records of chunks with the same Limit share an attempt.
	Limit uint16
	// Owner is the engine's own view of the chunk.
	Owner any

	leaked  atomic.Bool
	claimed int // records handed out; guarded by Pool.mu, Unordered only

	// link sets these, for chunks whose records go to key lanes.
	linked bool
	parts  []part
	next   []int32 // for each record: the one that follows in its lane
}

// part is the records of a chunk that go to one lane.
type part struct {
	lane        *lane
	first, last int32 // records
	records     int32
}

// link sorts the chunk's records, beginning with number from, into their key lanes.
func (c *Chunk) link(from int) {
	c.linked = true
	c.parts, c.next = c.parts[:0], slices.Grow(c.next[:0], len(c.Records))[:len(c.Records)]
	for k := from; k < len(c.Records); k++ {
		i, l := int32(k), c.Lanes.keyLane(&c.Records[k])
		if n := int(l.part); n < len(c.parts) && c.parts[n].lane == l {
			p := &c.parts[n]
			c.next[p.last] = i
			p.last = i
			p.records++
			continue
		}
		l.part = int32(len(c.parts))
		c.parts = append(c.parts, part{lane: l, first: i, last: i, records: 1})
	}
}

// Leaked reports whether an attempt that never returned may still read the chunk's
// memory.
func (c *Chunk) Leaked() bool { return c.leaked.Load() }

// Reset prepares the chunk for its next use.
func (c *Chunk) Reset() { c.Records, c.Limit, c.claimed, c.linked = nil, 0, 0, false }

// Item is one record of a chunk.
type Item struct {
	Chunk   *Chunk
	Index   int32
	history history
	lane    *lane // nil if the item has no order
}

// Record returns the item's record.
func (it Item) Record() *record.Record { return &it.Chunk.Records[it.Index] }
