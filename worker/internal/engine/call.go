package engine

import (
	"context"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// call is the context of one goroutine's calls of the user's code. It tells them which
// attempt of its record each is. A goroutine that never returns keeps its call.
type call struct {
	context.Context // the pool's
	items           []dispatch.Item
	// next is where AttemptOf looks first: callers ask for one record after another.
	next atomic.Int32
}

// begin returns the context of a call. It makes a new one only when the pool has: a
// context that has ended stays with the goroutines that the user's code may have started.
func (a *attempt) begin(pool context.Context, items []dispatch.Item) context.Context {
	if a.call == nil || a.call.Context != pool {
		a.call = &call{Context: pool}
	}
	a.call.items = items
	return a.call
}

// Value implements context.Context.
func (c *call) Value(key any) any {
	if usercode.IsAttemptsKey(key) {
		return c
	}
	return c.Context.Value(key)
}

// AttemptOf implements usercode.Attempts.
func (c *call) AttemptOf(rec *record.Record) int {
	first := int(c.next.Load())
	for k := range c.items {
		i := (first + k) % len(c.items)
		it := c.items[i]
		if own := it.Record(); own.Offset == rec.Offset && own.Partition == rec.Partition {
			c.next.Store(int32(i + 1))
			return it.Chunk.Owner.(*chunk).part.failures.attempt(rec.Offset)
		}
	}
	return 1
}
