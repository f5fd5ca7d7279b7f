package engine_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// TestFailingKeysHoldUpNoOtherKey has hundreds of keys of one partition fail until
// all others, and those without a key, are written.
func TestFailingKeysHoldUpNoOtherKey(t *testing.T) {
	const keys, rounds = 300, 3
	r, _ := fakeRig(t, 1)
	var recs []*kgo.Record
	for round := range rounds {
		for i := range keys {
			rec := &kgo.Record{Topic: "in", Value: []byte(strconv.Itoa(round*keys + i))}
			switch i % 3 {
			case 0:
				rec.Key = fmt.Append(nil, "failing-", i)
			case 1:
				rec.Key = fmt.Append(nil, "other-", i)
			}
			recs = append(recs, rec)
		}
	}
	r.cluster.Produce(recs...)
	var released atomic.Bool
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if strings.HasPrefix(string(rec.Key), "failing-") && !released.Load() {
			return nil, errPoison
		}
		return rec.Value, nil
	}), func(c *config.Config) {
		c.Ordering, c.Concurrency = config.Key, 2
		c.Failure.MaxAttempts = 10_000
		c.Failure.Backoff = config.Backoff{Initial: duration(100 * time.Millisecond), Max: duration(time.Second)}
	})
	r.eventually("the others are written", func() bool { return w.engine.Status().Totals.RecordsOut == 2*keys/3*rounds })
	released.Store(true)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, keys*rounds, false)
	last := map[string]int{}
	for _, rec := range r.cluster.ConsumeAll("out", kgo.ReadCommitted()) {
		v, _ := strconv.Atoi(string(rec.Value))
		if before, ok := last[string(rec.Key)]; ok && rec.Key != nil && v < before {
			t.Errorf("key %s: record %d was written after %d", rec.Key, v, before)
		}
		last[string(rec.Key)] = v
	}
}
