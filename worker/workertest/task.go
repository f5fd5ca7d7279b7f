package workertest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// task is a record in a run of a Worker.
type task struct {
	item
	given    record.Record // with bytes that no call gets
	attempts int           // that count
	together int           // calls in a row that failed as a whole
	limit    int           // how many records may share the next call; 0 is the batch size
	due      time.Duration // when the next attempt may begin
	waited   time.Duration
	settled  bool
}

func newTask(it item) *task { return &task{item: it, given: *it.rec.Record} }

// lend gives the record bytes for one call.
func (t *task) lend() {
	t.rec.Key, t.rec.Value = slices.Clone(t.given.Key), slices.Clone(t.given.Value)
	t.rec.Headers = copied(t.given.Headers)
}

// lane returns the name that records share whose order is to be kept; ordered is false if
// this one's order does not matter.
func (t *task) lane(ordering config.Ordering) (name string, ordered bool) {
	switch {
	case ordering == config.Partition:
		return fmt.Sprintf("%s/%d", t.given.Topic, t.given.Partition), true
	case ordering == config.Key && t.given.Key != nil:
		return fmt.Sprintf("%s/%d/%s", t.given.Topic, t.given.Partition, t.given.Key), true
	default:
		return "", false
	}
}

// halve has the record share its next call with half as many.
func (t *task) halve(n int) {
	t.limit, t.together = (n+1)/2, t.together+1
}

// call is one call of the user's code.
type call struct {
	tasks []*task
	bytes int
	whole error // of several records that failed as a whole
}

// make makes the call. Afterwards the bytes that it got are gone.
func (c *call) make(ctx context.Context, code *usercode.Code) {
	items := make([]item, len(c.tasks))
	for k, t := range c.tasks {
		t.lend()
		items[k] = t.item
	}
	c.whole = attempt(&callContext{ctx, c.tasks}, code, items)
	for _, t := range c.tasks {
		t.rec.overwrite()
	}
}

// takes reports whether a task fits into the call.
func (c *call) takes(t *task, limits usercode.BatchLimits) bool {
	limit := limits.Records
	if t.limit > 0 {
		limit = min(limit, t.limit)
	}
	return len(c.tasks) < limit && c.tasks[0].limit == t.limit && (limits.Bytes == 0 || c.bytes+t.given.Size() <= limits.Bytes)
}

// ready returns the calls of the records that may be tried now. No two of them have records
// whose order is to be kept.
func (r *run) ready() (calls []*call) {
	owners := map[string]*call{} // of lanes; nil for one that waits
	var last *call
	for _, t := range r.pending {
		lane, ordered := t.lane(r.ordering)
		owner, taken := owners[lane]
		if t.due > r.now || ordered && taken && owner == nil {
			owners[lane] = nil
			continue
		}
		fits := last != nil && last.takes(t, r.code.BatchLimits())
		if ordered && taken && (owner != last || !fits) {
			owners[lane] = nil
			continue
		}
		if !fits {
			last = &call{}
			calls = append(calls, last)
		}
		last.tasks = append(last.tasks, t)
		last.bytes += t.given.Size()
		owners[lane] = last
	}
	return calls
}

// callContext tells the user's code which attempt of its record a call is.
type callContext struct {
	context.Context
	tasks []*task
}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	if usercode.IsAttemptsKey(key) {
		return c
	}
	return c.Context.Value(key)
}

// AttemptOf implements usercode.Attempts.
func (c *callContext) AttemptOf(rec *record.Record) int {
	for _, t := range c.tasks {
		if own := &t.given; own.Offset == rec.Offset && own.Partition == rec.Partition && own.Topic == rec.Topic {
			return t.attempts + 1
		}
	}
	return 1
}
