package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// lingering lets its records wait for others as long as it may.
type lingering struct {
	worker.BatchProcessor
	linger time.Duration
}

func (l lingering) BatchBytes() int            { return 0 }
func (l lingering) BatchLinger() time.Duration { return l.linger }

// TestADrainWaitsForNoFullBatch: the records in flight are tried at once, and so are those
// that have failed and are tried again.
func TestADrainWaitsForNoFullBatch(t *testing.T) {
	r, _ := fakeRig(t, 1)
	const n, linger = 20, 8 * time.Second
	r.produce(0, n, 10)
	b := &batches{size: 1000, poison: "7", fail: func(context.Context) error { return errPoison }}
	w := r.start(worker.Batch(lingering{b, linger}), func(c *config.Config) { c.Ordering = config.Key })
	r.eventually("the records are in flight", func() bool {
		members := w.engine.Status().Members
		return len(members) == 1 && members[0].InFlight.Records == n
	})
	begun := time.Now()
	w.drain()
	if took := time.Since(begun); took >= linger {
		t.Errorf("the drain took %v, and the records linger for %v", took, linger)
	}
	if out, letters := r.values("out"), r.values("dlq"); len(out) != n-1 || letters["7"] != 1 {
		t.Errorf("%d records were written, and the dead letters are %v", len(out), letters)
	}
}
