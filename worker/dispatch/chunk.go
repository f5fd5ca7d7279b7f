package dispatch

import (
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/record"
)

// Chunk is a run of records of one partition, in the order of their offsets.
// The pool reads it and never frees it; its owner may reuse it when all of its
// records are settled and Leaked is false.
type Chunk struct {
	Records []record.Record
	// Lanes keeps the ordering of the chunk's partition; nil is Unordered.
	Lanes *Lanes
	// Cancelled, once true, makes the pool skip what it has not started.
	Cancelled *atomic.Bool
	// Owner is the engine's own view of the chunk.
	Owner any

	leaked  atomic.Bool
	claimed int // records handed out; guarded by Pool.mu, Unordered only
}

// Leaked reports whether an attempt that never returned may still read the
// chunk's memory.
func (c *Chunk) Leaked() bool { return c.leaked.Load() }

// Reset prepares the chunk for its next use.
func (c *Chunk) Reset() { c.Records, c.claimed = nil, 0 }

// Item is one record of a chunk.
type Item struct {
	Chunk *Chunk
	Index int32
	lane  *lane
}

// Record returns the item's record.
func (it Item) Record() *record.Record { return &it.Chunk.Records[it.Index] }
