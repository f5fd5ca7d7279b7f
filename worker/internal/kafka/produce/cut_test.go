package produce

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// troubleCase is a way in which partition 1 can't be written to, until end is called.
type troubleCase struct {
	name  string
	begin func(*testing.T, *kafkatest.FakeCluster) (end func())
}

// The troubles in which it is certain that nothing is stored.
var certainTroubles = []troubleCase{
	{"too few replicas", func(_ *testing.T, fake *kafkatest.FakeCluster) func() {
		return fake.Faults.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: -1,
		}).Remove
	}},
	{"not allowed", func(_ *testing.T, fake *kafkatest.FakeCluster) func() {
		return fake.Faults.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1,
		}).Remove
	}},
}

// newTroubled returns a transactional Producer for a topic of two partitions, each led by
// another broker.
func newTroubled(t *testing.T, cfg Config, opts ...kfake.Opt) (*transacting, *kafkatest.FakeCluster) {
	t.Helper()
	fake := kafkatest.Fake(t, append(opts, kfake.NumBrokers(2))...)
	fake.CreateTopic("out", 2, nil)
	for p := range int32(2) {
		if err := fake.Faults.MoveTopicPartition("out", p, p); err != nil {
			t.Fatal(err)
		}
	}
	return newTransacting(t, &fake.Cluster, "out", cfg), fake
}

// inTroubleNow reports whether partition 1 is known to be in trouble.
func (w *transacting) inTroubleNow() bool { return w.w.layout.Load().queues[1].inTrouble() }

func TestAPartitionInTroubleIsPostponed(t *testing.T) {
	for _, trouble := range certainTroubles {
		t.Run(trouble.name, func(t *testing.T) {
			w, fake := newTroubled(t, Config{MaxBatchBytes: 500})
			w.begin()
			end := trouble.begin(t, fake)
			late := w.write(1, 10)
			good := w.write(0, 10)
			testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
			for range 10 {
				w.write(1, 200)
			}
			w.end()
			if w.settled() != 1 {
				t.Errorf("%d records are settled, want 1", w.settled())
			}
			w.expectCommitted(0, good)
			w.expectCommitted(1)
			w.p.Resume(w.session)
			w.write(1, 200)
			end()
			testkit.Await(t, "all are written", func() bool { return w.settled() == 13 })
			w.commit()
			w.expectCommitted(1, late, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
		})
	}
}

// heldTransaction is a transaction that a standIn need not know.
type heldTransaction struct{ identity batch.Identity }

func (heldTransaction) ID() string                                                { return "held" }
func (heldTransaction) Version() int                                              { return 1 }
func (t heldTransaction) Identity() batch.Identity                                { return t.identity }
func (heldTransaction) AddPartitions(context.Context, []txn.TopicPartition) error { return nil }

func TestAPartitionWithoutALeaderIsPostponed(t *testing.T) {
	broker := newStandIn(t, "out", 2)
	broker.leaderless.Store(true)
	dooms := 0
	w := newWriting(t, []string{broker.listener.Addr().String()}, Config{
		Transactional: true, OnDoomed: func(string, error) { dooms++ },
	})
	w.p.Resume(heldTransaction{batch.Identity{ID: 5, Epoch: 1}})
	w.write(0, 10)
	w.write(1, 10) // the last partition is without a leader
	for round := range 2 {
		w.p.Cut()
		if err := w.p.FlushCut(writeContext(t)); err != nil || w.settled() != 1 || dooms > 0 {
			t.Fatalf("round %d: %v; %d records are settled, %d dooms", round, err, w.settled(), dooms)
		}
		w.p.Resume(heldTransaction{batch.Identity{ID: 5, Epoch: 2 + int16(round)}})
	}
	broker.leaderless.Store(false)
	testkit.Await(t, "it is written", func() bool { return w.settled() == 2 })
}

// A record's other outputs may be in the transaction, so it can't wait for the next one.
func TestJointRecordsAreNotPostponed(t *testing.T) {
	w, fake := newTroubled(t, Config{MaxBatchBytes: 500})
	w.begin()
	end := certainTroubles[0].begin(t, fake)
	before := w.write(1, 450)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	joint := w.writeJoint(1)
	after := w.write(1, 450)
	w.p.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := w.p.FlushCut(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	end()
	w.end()
	w.p.Resume(w.session)
	w.expectCommitted(1, before, joint)
	w.commit()
	w.expectCommitted(1, before, joint, after)
}

// A batch that may be stored stays in its transaction; those behind it need not.
func TestABatchThatMayBeStoredIsNotPostponed(t *testing.T) {
	w, fake := newTroubled(t, Config{MaxBatchBytes: 500})
	w.begin()
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotEnoughReplicasAfterAppend, Count: -1,
	})
	first := w.write(1, 10)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	second := w.write(1, 400)
	third := w.write(1, 400)
	w.p.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := w.p.FlushCut(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	faults.Remove()
	w.end()
	if w.settled() != 1 {
		t.Errorf("%d records are settled, want 1", w.settled())
	}
	w.expectCommitted(1, first)
	w.p.Resume(w.session)
	w.commit()
	w.expectCommitted(1, first, second, third)
}

// While the coordinator still writes the markers of the transaction before, brokers refuse
// the next one's batches for a moment.
func TestConcurrentTransactionsAreWaitedFor(t *testing.T) {
	w, fake := newTroubled(t, Config{})
	w.begin()
	faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.ConcurrentTransactions, Count: 4})
	first := w.write(0, 10)
	w.commit()
	w.expectCommitted(0, first)
	w.expectClean()
	if faults.Hits() != 4 || w.log.Count("will be retried") > 0 || len(w.dooms) > 0 {
		t.Errorf("%d hits, %d lines, %d dooms", faults.Hits(), w.log.Count("will be retried"), len(w.dooms))
	}
}

// A record that is refused fails alone; the transaction goes on.
func TestRefusedRecordsLeaveTheTransactionAlone(t *testing.T) {
	w, _ := newTroubled(t, Config{MaxBatchBytes: 3 << 20, Linger: 10 * time.Millisecond})
	w.cluster.CreateTopic("small", 1, map[string]string{"max.message.bytes": "2000"})
	var err error
	if w.w, err = w.p.Topic(t.Context(), "small", TopicOptions{}); err != nil {
		t.Fatal(err)
	}
	w.topic = "small"
	w.begin()
	first, large, last := w.write(0, 10), w.write(0, 5000), w.write(0, 10)
	w.commit()
	w.expectCommitted(0, first, last)
	if len(w.errs) != 1 || !errors.Is(w.errs[large], ErrTooLarge) || len(w.dooms) > 0 {
		t.Errorf("refused: %v; %d dooms", w.errs, len(w.dooms))
	}
}

// A broker that throttles the Producer keeps no transaction open.
func TestTheEndOfATransactionDoesNotWaitForAThrottledBroker(t *testing.T) {
	w, fake := newTroubled(t, Config{})
	w.begin()
	fake.Faults.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		res.ThrottleMillis = 2000
		topic, p := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
		topic.Topic, p.Partition, p.ErrorCode = "out", req.Topics[0].Partitions[0].Partition, kerr.NotEnoughReplicas.Code
		topic.Partitions = append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	throttled := w.write(1, 10)
	testkit.Await(t, "its broker throttles", func() bool { return w.inTroubleNow() })
	// The partition has recovered, its broker still wants no requests.
	w.w.layout.Load().queues[1].setStuck(false)
	good := w.write(0, 10)
	w.end()
	if w.settled() != 1 {
		t.Errorf("%d records are settled, want 1", w.settled())
	}
	w.p.Resume(w.session)
	w.expectCommitted(0, good)
	testkit.Await(t, "the other one is written", func() bool { return w.settled() == 2 })
	w.commit()
	w.expectCommitted(1, throttled)
}
