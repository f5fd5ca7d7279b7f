package engine_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestExactlyOnceKeepsTheOtherPromises runs tests of delivery at least once with delivery
// exactly once.
func TestExactlyOnceKeepsTheOtherPromises(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, r *rig){
		"order": func(t *testing.T, r *rig) { orderTest(t, r, false) },
		"order by partition": func(t *testing.T, r *rig) {
			r.cfg.Ordering = config.Partition
			orderTest(t, r, true)
		},
		"dead letters":        deadLetterTest,
		"drop":                dropTest,
		"halt":                func(t *testing.T, r *rig) { haltDoublesNothing(t, r, config.Key) },
		"earlier assignment":  drainOfAnEarlierAssignment,
		"two members":         handoverTest,
		"a drain that is cut": drainCutShort,
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := fakeRig(t, partitionsOfTest(name))
			r.exact()
			if name == "order" {
				r.cfg.Ordering = config.Key
			}
			test(t, r)
		})
	}
}

func partitionsOfTest(name string) int32 {
	if name == "two members" {
		return 6
	}
	return 2
}

// TestLittleMetadataDoublesNothing: the brokers keep less metadata than a commit has while
// records are stuck. The worker reads less far ahead, and the next one writes no result
// again.
func TestLittleMetadataDoublesNothing(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Property("offset.metadata.max.bytes", "512"))
	r := newRig(t, &broker.Cluster, 1).exact()
	const n, each = 6000, 20
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	stuck := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if v, _ := strconv.Atoi(string(rec.Value)); v%each == 0 && v > 0 {
			<-ended
		}
		return rec.Value, nil
	})
	r.produce(0, n, n)
	w := r.start(stuck, func(c *config.Config) {
		c.Failure.Timeout, c.DrainTimeout = duration(5*time.Minute), duration(2*time.Second)
		c.Transaction.Timeout = duration(2 * time.Second)
		c.InFlight.Records, c.Concurrency = 10*n, n/each+4
	})
	r.eventually("as many results are committed as the metadata allows", func() bool {
		return w.aborted()["MetadataTooLarge"] > 0 && len(r.values("out")) > each && w.partition(0).State == "paused"
	})
	w.drain()
	second := r.start(identity)
	r.awaitSettled(second)
	second.drain()
	wantEach(t, r.committed("out"), 0, n, false)
}

// TestMapWithoutRoomIsNotLeftOut: the brokers take metadata of 9 bytes, so no map at all. A
// partition whose committed offset stays where it is must not have results of later records
// committed.
func TestMapWithoutRoomIsNotLeftOut(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Property("offset.metadata.max.bytes", "9"))
	r := newRig(t, &broker.Cluster, 1).exact()
	const n = 100
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if string(rec.Value) == "1" {
			<-ended
		}
		return rec.Value, nil
	}), func(c *config.Config) {
		c.Failure.Timeout, c.DrainTimeout = duration(5*time.Minute), duration(2*time.Second)
		c.Transaction.Timeout = duration(2 * time.Second)
	})
	r.produce(0, 1, n)
	r.eventually("the first result is committed", func() bool { return len(r.values("out")) == 1 })
	r.produce(1, n, n)
	r.eventually("a map has no room, or results are committed without it", func() bool {
		return w.aborted()["MetadataTooLarge"] > 0 || len(r.values("out")) > 1
	})
	if out := r.values("out"); len(out) != 1 {
		t.Errorf("%d results are committed, and the offsets don't show which", len(out))
	}
}

// drainCutShort: the drain of a worker's partitions ends by its timeout, with records
// whose results come later. The next worker writes those results, and nothing is there
// twice.
func drainCutShort(t *testing.T, r *rig) {
	t.Helper()
	const n, slow = 2000, 7
	later := make(chan struct{})
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if v, _ := strconv.Atoi(string(rec.Value)); v%slow == 0 {
			<-later
		}
		return rec.Value, nil
	}), func(c *config.Config) {
		c.DrainTimeout, c.Transaction.Timeout = duration(time.Second), duration(time.Second)
		c.Concurrency = n
		c.Failure.Timeout = duration(5 * time.Minute)
	})
	r.produce(0, n, 16)
	r.eventually("all but the slow records are written", func() bool { return w.metrics.RecordsOut.Value() == n-(n+slow-1)/slow })
	w.stop()
	r.eventually("its partitions are given up", func() bool { return owned(w) == 0 })
	close(later)
	w.drain()
	second := r.start(identity)
	r.awaitSettled(second)
	second.drain()
	wantEach(t, r.committed("out"), 0, n, false)
	r.wantCommitted("group")
}

// TestLostPartitionsAbortTheirTransaction: the group throws a worker out in a transaction.
// The results in it are not seen, and the next owner writes them.
func TestLostPartitionsAbortTheirTransaction(t *testing.T) {
	onBoth(t, 2, func(t *testing.T, r *rig) {
		r.exact().cfg.Transaction.Interval = duration(5 * time.Second)
		const n = 1000
		w := r.start(identity)
		r.eventually("it owns everything", func() bool { return inState(w, "running") == 2 })
		r.produce(0, n, 16)
		r.eventually("the results are stored", func() bool { return w.metrics.RecordsOut.Value() == n })
		r.throwOut(w)
		r.eventually("the transaction is aborted", func() bool { return w.aborted()["PartitionsLost"] > 0 })
		r.awaitSettled(w)
		w.drain()
		wantEach(t, r.committed("out"), 0, n, false)
		r.wantCommitted("group")
	})
}

// TestStopOfAHangingTransactionIsBounded: the coordinator of transactions answers nothing
// any more, and the worker ends in time.
func TestStopOfAHangingTransactionIsBounded(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact()
	r.cfg.DrainTimeout, r.cfg.Transaction.Timeout = duration(3*time.Second), duration(2*time.Second)
	w := r.start(identity)
	r.eventually("it owns everything", func() bool { return inState(w, "running") == 2 })
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for _, key := range []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.InitProducerID} {
		fake.Faults.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			fake.Faults.KeepControl()
			if init, ok := req.(*kmsg.InitProducerIDRequest); ok && init.TransactionalID == nil {
				return nil, nil, false // of the test's producer
			}
			fake.Faults.SleepControl(func() { <-never })
			return nil, nil, false
		})
	}
	r.produce(0, 100, 16)
	r.eventually("the results are stored", func() bool { return w.metrics.RecordsOut.Value() >= 100 })
	start := time.Now()
	w.stop()
	if err := w.wait(); err != nil {
		t.Errorf("the worker ended with: %v", err)
	}
	if took, bound := time.Since(start), config.StopTimeout(r.cfg.DrainTimeout.Duration); took > bound {
		t.Errorf("the worker took %v to stop, and %v is the bound", took, bound)
	}
}

// TestUndeliveredResultsHoldUpNoOthers: one partition of the output, or of the dead-letter
// topic too, answers an unknown server error for good. When the delivery timeout has passed,
// the policy decides about its records; all others go on.
func TestUndeliveredResultsHoldUpNoOthers(t *testing.T) {
	for _, topics := range [][]string{{"out"}, {"out", "dlq"}} {
		t.Run(strings.Join(topics, " and "), func(t *testing.T) {
			r, fake := fakeRig(t, 2)
			r.exact()
			for _, topic := range topics {
				fake.Faults.Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{0}, Err: kerr.UnknownServerError, Count: -1,
				})
			}
			const n, keys = 400, 40
			w := r.start(identity, func(c *config.Config) {
				c.Output.DeliveryTimeout = duration(time.Second)
				c.Ordering = config.Key
			})
			r.produce(0, n, keys)
			want := 0 // of the results
			for i := range n {
				if produce.Murmur2([]byte(strconv.Itoa(i%keys)))%2 == 1 {
					want++
				}
			}
			r.eventually("all other results are committed", func() bool { return len(r.values("out")) == want })
			if len(topics) == 1 {
				r.awaitSettled(w)
				r.eventually("the letters are committed", func() bool { return len(r.values("dlq")) == n-want })
			} else {
				r.eventually("the partitions are halted", func() bool { return inState(w, "halted") == 2 })
			}
			w.drain()
			wantAtMostOnce(t, r.values("out"))
			wantAtMostOnce(t, r.values("dlq"))
		})
	}
}

func wantAtMostOnce(t *testing.T, values map[string]int) {
	t.Helper()
	for v, times := range values {
		if times > 1 {
			t.Errorf("record %s is there %d times", v, times)
		}
	}
}
