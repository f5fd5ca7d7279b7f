package engine_test

import (
	"context"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// TestThePoolFollowsTheCPULimit: GOMAXPROCS, which the runtime takes from the
// container's limit, grows and falls while records are in flight, and so does the
// number of attempts at a time. Keys keep their order, and nothing is written twice.
func TestThePoolFollowsTheCPULimit(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	const records, keys = 400, 20
	r, _ := fakeRig(t, 2)
	r.produce(0, records, keys)
	var running atomic.Int32
	hold := make(chan struct{})
	w := r.start(worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
		running.Add(1)
		defer running.Add(-1)
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return rec.Value, nil
	}), func(c *config.Config) { c.Ordering, c.Concurrency = config.Key, 0 })
	// finish ends n attempts.
	finish := func(n int) {
		for range n {
			hold <- struct{}{}
		}
	}
	r.eventually("one attempt", func() bool { return running.Load() == 1 })
	runtime.GOMAXPROCS(4)
	r.eventually("four attempts at a time", func() bool { return running.Load() == 4 })
	runtime.GOMAXPROCS(2)
	r.eventually("the pool is told to shrink", func() bool { return len(w.log.lines("goroutines=2")) > 0 })
	finish(4)
	r.eventually("two attempts at a time", func() bool { return running.Load() == 2 })
	finish(20)
	r.eventually("two attempts at a time, still", func() bool { return running.Load() == 2 })
	close(hold)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, records, false)
	last := map[string]int{}
	for _, rec := range r.cluster.ConsumeAll("out", kgo.ReadCommitted()) {
		v, _ := strconv.Atoi(string(rec.Value))
		if earlier, ok := last[string(rec.Key)]; ok && v < earlier {
			t.Errorf("key %s: record %d was written after %d", rec.Key, v, earlier)
		}
		last[string(rec.Key)] = v
	}
}
