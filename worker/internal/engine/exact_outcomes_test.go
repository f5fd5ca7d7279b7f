package engine_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// TestOutcomesOfFilteredRecordsAreToldOnce: records without results, or that the Sequencer
// drops, may be settled while a transaction takes its checkpoints. Their outcomes are told
// with the transaction that has their offsets, although others are aborted.
func TestOutcomesOfFilteredRecordsAreToldOnce(t *testing.T) {
	t.Run("by Process", func(t *testing.T) {
		o := &filteringObserver{}
		outcomesAreToldOnce(t, o, o)
	})
	t.Run("by the Sequencer", func(t *testing.T) {
		o := &droppingObserver{}
		outcomesAreToldOnce(t, o, &o.filteringObserver)
	})
}

func outcomesAreToldOnce(t *testing.T, p worker.Processor, o *filteringObserver) {
	t.Helper()
	r, fake := fakeRig(t, 4)
	r.exact()
	var ends atomic.Int32
	fake.Faults.ControlKey(kmsg.EndTxn.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		end := req.(*kmsg.EndTxnRequest)
		if !end.Commit || ends.Add(1)%3 > 0 || ends.Load() > 300 {
			return nil, nil, false
		}
		res := end.ResponseKind().(*kmsg.EndTxnResponse)
		res.ErrorCode = kerr.InvalidTxnState.Code
		return res, nil, true
	})
	const n = 200_000
	r.produce(0, n, 64)
	w := r.start(p, func(c *config.Config) {
		c.Concurrency, c.Transaction.Interval = 8, duration(2*time.Millisecond)
	})
	r.awaitSettled(w)
	w.drain()
	o.mu.Lock()
	defer o.mu.Unlock()
	lost, doubled := 0, 0
	for partition, end := range r.ends("in") {
		for offset := range end {
			switch o.seen[worker.Position{Topic: "in", Partition: partition, Offset: offset}] {
			case 0:
				lost++
			case 1:
			default:
				doubled++
			}
		}
	}
	t.Logf("%d transactions ended, %v aborted", ends.Load(), w.aborted())
	if lost > 0 || doubled > 0 {
		t.Errorf("%d outcomes were not told, %d were told twice", lost, doubled)
	}
}

// filteringObserver writes no results, and counts the outcomes of each record.
type filteringObserver struct {
	mu   sync.Mutex
	seen map[worker.Position]int // guarded by mu
}

func (*filteringObserver) Process(context.Context, *worker.Record, *worker.Outputs) error { return nil }

func (o *filteringObserver) Observe(outcome *worker.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen = map[worker.Position]int{}
	}
	o.seen[outcome.Input]++
}

// droppingObserver is a filteringObserver whose records don't get to Process.
type droppingObserver struct{ filteringObserver }

func (*droppingObserver) Sequence(*worker.Record) bool { return false }
