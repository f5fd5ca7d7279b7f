package engine_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestRecordsWithoutAKeyPassByAnOutputPartitionThatIsAway has one of four output
// partitions refuse everything, for good. All records are written to the others, also
// those that were queued for that partition before.
func TestRecordsWithoutAKeyPassByAnOutputPartitionThatIsAway(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Unordered, config.Key} {
		for _, refusal := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.NotEnoughReplicas} {
			t.Run(string(ordering)+"/"+refusal.Message, func(t *testing.T) {
				r, fake := fakeRig(t, 4)
				away := fake.Faults.Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{3}, Err: refusal, Count: -1,
				})
				w := r.start(identity, func(c *config.Config) {
					c.Ordering, c.Output.DeliveryTimeout = ordering, duration(time.Second)
				})
				produce := func(from, n int) {
					var records []*kgo.Record
					for i := from; i < from+n; i++ {
						records = append(records, &kgo.Record{Topic: "in", Partition: int32(i % 4), Value: strconv.AppendInt(nil, int64(i), 10)})
					}
					r.cluster.Produce(records...)
				}
				// Some are on their way to it when it fails.
				produce(0, 400)
				r.eventually("the failure is known", func() bool { return away.Hits() > 0 })
				const n = 40_000
				produce(400, n)
				r.awaitSettled(w)
				w.drain()
				wantEach(t, r.values("out"), 0, n+400, false)
			})
		}
	}
}

// toOther writes records that hold "other" to the topic of that name.
func toOther(attempts *atomic.Int64) worker.Processor {
	return worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		if string(rec.Key) != "other" {
			return []worker.Output{{Value: rec.Value}}, nil
		}
		attempts.Add(1)
		return []worker.Output{{Topic: "other", Value: rec.Value}}, nil
	})
}

// produceToOther writes records 0..n-1, of which every tenth is for "other".
func (r *rig) produceToOther(n int) (others int) {
	r.t.Helper()
	var records []*kgo.Record
	for i := range n {
		rec := &kgo.Record{Topic: "in", Partition: int32(i % 2), Value: strconv.AppendInt(nil, int64(i), 10)}
		if i%10 == 0 {
			rec.Key = []byte("other")
			others++
		}
		records = append(records, rec)
	}
	r.cluster.Produce(records...)
	return others
}

// TestTopicThatCantBeLookedUpIsWaitedFor: records for a topic that can't be looked up
// wait, even with the policy that drops. No other record waits for them.
func TestTopicThatCantBeLookedUpIsWaitedFor(t *testing.T) {
	for _, fault := range []*kerr.Error{kerr.LeaderNotAvailable, kerr.UnknownServerError} {
		t.Run(fault.Message, func(t *testing.T) {
			r, fake := fakeRig(t, 2)
			r.cluster.CreateTopic("other", 1, nil)
			away := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "other", Err: fault, Count: -1})
			others := r.produceToOther(500)
			var attempts atomic.Int64
			w := r.start(toOther(&attempts), func(c *config.Config) { c.Failure.OnExhausted, c.Failure.MaxAttempts = config.Drop, 1 })
			r.eventually("the others are written, and those for the topic are tried again", func() bool {
				return len(r.values("out")) == 500-others && attempts.Load() >= int64(3*others)
			})
			away.Remove()
			r.awaitSettled(w)
			if got := w.engine.Status().Totals; got.RecordsDropped > 0 || got.AttemptsFailed > 0 {
				t.Errorf("totals: %+v", got)
			}
			w.drain()
			if got := len(r.values("other")); got != others {
				t.Errorf("%d records in the topic, want %d", got, others)
			}
		})
	}
}

// TestApacheTopicIsLookedUpInAnOutage has a topic named for the first time while
// the broker is away.
func TestApacheTopicIsLookedUpInAnOutage(t *testing.T) {
	r, broker := apacheRig(t, 2)
	r.cluster.CreateTopic("other", 1, nil)
	others := r.produceToOther(100)
	var attempts, seen atomic.Int64
	down := make(chan struct{})
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		seen.Add(1)
		<-down
		if string(rec.Key) != "other" {
			return []worker.Output{{Value: rec.Value}}, nil
		}
		attempts.Add(1)
		return []worker.Output{{Topic: "other", Value: rec.Value}}, nil
	}), func(c *config.Config) {
		c.Failure.OnExhausted, c.Failure.MaxAttempts, c.Failure.Timeout = config.Drop, 1, duration(time.Minute)
	})
	r.eventually("records are in attempts", func() bool { return seen.Load() >= 4 })
	broker.Kill()
	close(down)
	r.eventually("they are tried again", func() bool { return attempts.Load() >= 3 })
	broker.Start()
	r.awaitSettled(w)
	if got := w.engine.Status().Totals.RecordsDropped; got > 0 {
		t.Errorf("dropped %d records", got)
	}
	w.drain()
	if got := len(r.values("other")); got != others {
		t.Errorf("%d records in the topic, want %d", got, others)
	}
}

// TestTopicThatDoesNotExistExhaustsItsRecords: the worker asks for the topic once for all
// of its records.
func TestTopicThatDoesNotExistExhaustsItsRecords(t *testing.T) {
	onBothWithLetters(t, nil, func(t *testing.T, r *rig) {
		const n = 2000
		others := r.produceToOther(n)
		var attempts atomic.Int64
		w := r.start(toOther(&attempts))
		r.awaitSettled(w)
		w.drain()
		if out, letters := len(r.values("out")), len(r.values("dlq")); out != n-others || letters != others {
			t.Errorf("%d records out and %d dead letters, want %d and %d", out, letters, n-others, others)
		}
		if got := r.cluster.Partitions("other"); got != 0 {
			t.Errorf("it was created with %d partitions", got)
		}
	})
}

// TestApacheNamedTopicWithoutPermission: records fail that name a topic to which the user
// may not write, whether the user may describe it or not.
func TestApacheNamedTopicWithoutPermission(t *testing.T) {
	topics, write := kmsg.ACLResourceTypeTopic, kmsg.ACLOperationWrite
	user := kafkatest.User{Mechanism: "SCRAM-SHA-512", Name: "worker", Password: "s3cret"}
	allow := func(resource kmsg.ACLResourceType, name string, operation kmsg.ACLOperation) kafkatest.ACL {
		return kafkatest.ACL{User: "worker", Resource: resource, Name: name, Operation: operation}
	}
	r, broker := apacheRig(t, 2, kafkatest.Users(user), kafkatest.ACLs(
		allow(topics, "in", kmsg.ACLOperationRead), allow(topics, "out", write), allow(topics, "dlq", write),
		allow(topics, "seen", kmsg.ACLOperationDescribe), allow(kmsg.ACLResourceTypeGroup, "group", kmsg.ACLOperationRead),
	))
	for _, topic := range []string{"seen", "unseen"} {
		r.cluster.CreateTopic(topic, 1, nil)
	}
	r.produce(0, 100, 10)
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		switch rec.Offset % 10 {
		case 3:
			return []worker.Output{{Topic: "seen", Value: rec.Value}}, nil
		case 7:
			return []worker.Output{{Topic: "unseen", Value: rec.Value}}, nil
		}
		return []worker.Output{{Value: rec.Value}}, nil
	}), asUser(t, broker, user))
	r.awaitSettled(w)
	w.drain()
	if out, letters := len(r.values("out")), len(r.values("dlq")); out != 80 || letters != 20 {
		t.Errorf("%d records out and %d dead letters, want 80 and 20", out, letters)
	}
}
