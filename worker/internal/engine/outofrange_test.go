package engine_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// produceRun writes n records with the values from, from+1, ... to a partition.
func (r *rig) produceRun(partition int32, from, n int) {
	r.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: "in", Partition: partition, Value: strconv.AppendInt(nil, int64(from+i), 10)}
	}
	r.cluster.Produce(records...)
}

func startingAt(at config.StartOffset) func(*config.Config) {
	return func(c *config.Config) { c.Input.StartOffset = at }
}

func haltingOnLoss(c *config.Config) { c.Input.OnDataLoss = config.HaltOnLoss }

// gated copies records once it is opened.
type gated struct {
	worker.Processor
	open func()
}

func newGated() gated {
	opened := make(chan struct{})
	return gated{
		Processor: worker.Map(func(ctx context.Context, rec *worker.Record) ([]byte, error) {
			select {
			case <-opened:
				return rec.Value, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}),
		open: sync.OnceFunc(func() { close(opened) }),
	}
}

// TestRetentionOvertakesTheWorker deletes records that a slow worker has in flight,
// records that it has fetched, and records that it has not asked for. Only the last are
// lost, and reported.
func TestRetentionOvertakesTheWorker(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) { retentionOvertakes(t, r, config.Latest) })
	t.Run("from the earliest", func(t *testing.T) {
		r, _ := fakeRig(t, 1)
		retentionOvertakes(t, r, config.Earliest)
	})
}

func retentionOvertakes(t *testing.T, r *rig, start config.StartOffset) {
	r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 0})
	r.producePadded(0, 5000) // several times what one fetch brings
	p := newGated()
	w := r.start(p, startingAt(start), func(c *config.Config) { c.InFlight.Records = 500 })
	r.eventually("it holds what it may", func() bool { return w.partition(0).State == "paused" })
	r.deleteBefore(0, 5000)
	r.produceRun(0, 5000, 200)
	p.open()
	r.awaitSettled(w)
	loss := w.partition(0).Loss
	w.drain()

	if loss == nil || loss.Reason != workerstatus.LossRetention || loss.To != 5000 || loss.Offsets != loss.To-loss.From {
		t.Fatalf("lost %+v, want the records up to 5000 that were not fetched", loss)
	}
	got := r.values("out")
	wantEach(t, got, 0, int(loss.From), false)
	wantEach(t, got, 5000, 200, false)
}

// TestALossIsCountedOnce: retention deletes the records that the worker would read next, and
// those that it has in flight are lost when the group throws it out. It meets the first loss
// again, as a part of a larger one, since nothing was committed in between.
func TestALossIsCountedOnce(t *testing.T) {
	r, fake := fakeRig(t, 1)
	const n, stuck, next = 5000, 10, 200
	r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 0})
	r.producePadded(0, n)
	some, all := make(chan struct{}), make(chan struct{})
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if v, _ := strconv.Atoi(string(rec.Value)); v < stuck {
			<-all
		}
		<-some
		return rec.Value, nil
	}), func(c *config.Config) {
		c.InFlight.Records, c.Concurrency, c.Failure.Timeout = 500, 2*stuck, duration(5*time.Minute)
	})
	r.eventually("it holds what it may", func() bool { return w.partition(0).State == "paused" })
	trouble := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: -1})
	r.deleteBefore(0, n)
	r.produceRun(0, n, next)
	close(some)
	r.eventually("it meets the loss", func() bool { return w.partition(0).Loss != nil })
	first := w.partition(0).Loss
	r.throwOut(w)
	trouble.Remove()
	r.eventually("it meets the loss again", func() bool { loss := w.partition(0).Loss; return loss != nil && loss.From < first.From })
	close(all)
	r.awaitSettled(w)
	loss := w.partition(0).Loss
	lost := exposed(t, w.metrics, `millrace_offsets_lost_total{partition="0",reason="Retention",topic="in"}`)
	w.drain()
	if first.From < stuck || lost != n || loss.Offsets != n {
		t.Errorf("%v offsets are counted as lost, the status has %d; want %d (the first loss was %+v)", lost, loss.Offsets, n, first)
	}
}

// producePadded writes n records of 2 KiB, with the values from, from+1, ..., to
// partition 0.
func (r *rig) producePadded(from, n int) {
	r.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: "in", Key: make([]byte, 2<<10), Value: strconv.AppendInt(nil, int64(from+i), 10)}
	}
	r.cluster.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())}, records...)
}

// TestCommitBelowTheLogStart starts a worker whose group has committed offsets that
// retention has deleted by now.
func TestCommitBelowTheLogStart(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		r.produceRun(0, 0, 1000)
		r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 100})
		r.deleteBefore(0, 400)
		w := r.start(identity, startingAt(config.Latest))
		r.awaitSettled(w)
		loss := w.partition(0).Loss
		w.drain()
		wantEach(t, r.values("out"), 400, 600, false)
		if loss == nil || loss.Offsets != 300 || loss.From != 100 || loss.To != 400 || loss.Reason != workerstatus.LossRetention {
			t.Errorf("lost %+v, want the 300 offsets from 100 to 400 by retention", loss)
		}
		if n := exposed(t, w.metrics, `millrace_offsets_lost_total{partition="0",reason="Retention",topic="in"}`); n != 300 {
			t.Errorf("%v lost offsets are counted, want 300", n)
		}
	})
}

// TestEverythingDeleted: the watermark passes the offsets of a log without records.
func TestEverythingDeleted(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produceRun(0, 0, 1000)
	r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 100})
	r.deleteBefore(0, 1000)
	w := r.start(identity)
	r.awaitSettled(w)
	r.eventually("it is committed", func() bool { return r.cluster.GroupOffsets("group")["in"][0].Offset == 1000 })
	r.produceRun(0, 1000, 10)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 1000, 10, false)
}

// TestHaltOnDataLoss: the worker halts the partition that has lost records, and no other.
func TestHaltOnDataLoss(t *testing.T) {
	r, _ := fakeRig(t, 2)
	r.produceRun(0, 0, 100)
	r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 10, 1: 0})
	r.deleteBefore(0, 40)
	w := r.start(identity, haltingOnLoss)
	r.eventually("the partition is halted", func() bool { return w.partition(0).State == "halted" })
	r.produceRun(1, 1000, 100)
	r.eventually("the other one goes on", func() bool { return w.partition(1).Watermark == 100 })
	p := w.partition(0)
	if p.Loss == nil || p.Loss.Offsets != 30 || !strings.Contains(p.Error, "from offset 10 up to 40") {
		t.Errorf("halted with %q, loss %+v", p.Error, p.Loss)
	}
	if p.EndOffset != 100 || p.Lag != 90 {
		t.Errorf("the end is %d, the lag %d, want 100 and 90", p.EndOffset, p.Lag)
	}
	w.drain()
	if c := r.cluster.GroupOffsets("group")["in"][0].Offset; c != 10 {
		t.Errorf("committed %d, want 10 as before", c)
	}

	// Somebody has looked at it.
	w = r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 40, 60, false)
}

// TestCommitBeyondTheEnd starts a worker whose group has committed more than there
// is, and no leader epoch: nothing is read twice.
func TestCommitBeyondTheEnd(t *testing.T) {
	onBoth(t, 1, func(t *testing.T, r *rig) {
		r.produceRun(0, 0, 1000)
		r.cluster.CommitOffsets("group", "in", map[int32]int64{0: 1010})
		w := r.start(identity)
		r.eventually("it has gone back to the end", func() bool { return w.partition(0).Watermark == 1000 })
		loss := w.partition(0).Loss
		r.produceRun(0, 1000, 20)
		r.awaitSettled(w)
		w.drain()
		got := r.values("out")
		wantEach(t, got, 1000, 20, false)
		if len(got) != 20 {
			t.Errorf("%d records were written, want the 20 new ones", len(got))
		}
		if loss == nil || loss.Offsets != 10 || loss.From != 1000 || loss.To != 1010 || loss.Reason != workerstatus.LossTruncated {
			t.Errorf("lost %+v, want the 10 offsets from 1000 to 1010 by truncation", loss)
		}
	})
}
