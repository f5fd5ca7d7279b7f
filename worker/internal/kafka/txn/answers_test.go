package txn_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// version1 is the last release whose brokers know version 1 only.
var version1 = kfake.MaxVersions(kversion.V3_8_0())

// answer makes the next requests of a kind fail with a code.
func answer(c *kafkatest.FakeCluster, key kmsg.Key, code *kerr.Error, count int) *kfake.FaultHandle {
	return c.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code, Count: count})
}

// TestPassingAnswers: the request is sent again, soon.
func TestPassingAnswers(t *testing.T) {
	for _, code := range []*kerr.Error{
		kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator,
	} {
		for name, opts := range map[string][]kfake.Opt{"version 1": {version1}, "version 2": nil} {
			t.Run(code.Message+" "+name, func(t *testing.T) {
				c := kafkatest.Fake(t, opts...)
				answer(c, kmsg.InitProducerID, code, 2)
				w := newWorker(t, &c.Cluster).open()
				for _, key := range []kmsg.Key{kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn} {
					answer(c, key, code, 2)
				}
				start := time.Now()
				w.write("a")
				w.mustCommitOffset(1)
				w.end(true)
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("took %v", took)
				}
				w.expect(1, "a")
			})
		}
	}
}

// TestFinalAnswers: what a session makes of the codes that end it.
func TestFinalAnswers(t *testing.T) {
	for _, tt := range []struct {
		code  *kerr.Error
		want  error
		parts []string
	}{
		{kerr.ProducerFenced, txn.ErrFenced, nil},
		{kerr.InvalidProducerEpoch, txn.ErrAborted, nil},
		{kerr.InvalidTxnState, txn.ErrAborted, nil},
		{kerr.InvalidProducerIDMapping, txn.ErrAborted, nil},
		{kerr.TransactionAbortable, txn.ErrAborted, nil},
		{kerr.UnknownServerError, txn.ErrUnknown, nil},
		{kerr.RequestTimedOut, txn.ErrUnknown, nil},
		{kerr.KafkaStorageError, txn.ErrUnknown, nil},
		{kerr.TransactionalIDAuthorizationFailed, kafka.ErrNotAuthorized, []string{"Write and Describe"}},
		{kerr.UnsupportedVersion, txn.ErrUnsupported, []string{"Kafka 2.5"}},
	} {
		for name, opts := range map[string][]kfake.Opt{"version 1": {version1}, "version 2": nil} {
			t.Run(tt.code.Message+" "+name, func(t *testing.T) {
				c := kafkatest.Fake(t, opts...)
				w := newWorker(t, &c.Cluster).open()
				parts := append(tt.parts, w.ID())
				final := func(key kmsg.Key, do func() error) {
					t.Helper()
					fault := answer(c, key, tt.code, -1)
					defer fault.Remove()
					testkit.ExpectError(t, do(), tt.want, parts...)
					if n := fault.Hits(); n != 1 {
						t.Errorf("%s: %d requests", key.Name(), n)
					}
				}
				if w.Version() == 1 {
					final(kmsg.AddPartitionsToTxn, func() error {
						return w.AddPartitions(testkit.Context(t), []txn.TopicPartition{{Topic: w.output, Partition: 1}})
					})
					final(kmsg.AddOffsetsToTxn, func() error { return w.commitOffset(1) })
				}
				final(kmsg.TxnOffsetCommit, func() error { return w.commitOffset(1) })
				final(kmsg.EndTxn, func() error { return w.End(testkit.Context(t), true) })
			})
		}
	}
}

// TestOpeningInsists: only an answer that no waiting changes ends it.
func TestOpeningInsists(t *testing.T) {
	c := kafkatest.Fake(t)
	for _, code := range []*kerr.Error{kerr.UnknownServerError, kerr.RequestTimedOut, kerr.ConcurrentTransactions, kerr.NotCoordinator} {
		answer(c, kmsg.InitProducerID, code, 1)
		c.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: 1})
		newWorker(t, &c.Cluster).open()
	}
	for code, want := range map[*kerr.Error]error{
		kerr.ProducerFenced: txn.ErrFenced, kerr.InvalidProducerEpoch: txn.ErrFenced,
		kerr.TransactionalIDAuthorizationFailed: kafka.ErrNotAuthorized,
	} {
		w := newWorker(t, &c.Cluster)
		fault := answer(c, kmsg.InitProducerID, code, -1)
		testkit.ExpectError(t, w.tryOpen(), want, w.cfg.TransactionalID)
		fault.Remove()
	}
	answer(c, kmsg.InitProducerID, kerr.ConcurrentTransactions, -1)
	w := newWorker(t, &c.Cluster)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := txn.Open(ctx, w.client, w.cfg)
	testkit.ExpectError(t, err, context.DeadlineExceeded, w.cfg.TransactionalID)
}

// TestARefusedPartitionKeepsNoOtherOut: also where every partition is refused, the next
// transaction goes on.
func TestARefusedPartitionKeepsNoOtherOut(t *testing.T) {
	c := kafkatest.Fake(t, version1)
	w := newWorker(t, &c.Cluster).open()
	missing := txn.TopicPartition{Topic: w.output, Partition: 9}
	err := w.AddPartitions(testkit.Context(t), []txn.TopicPartition{missing, {Topic: w.output, Partition: 1}, {Topic: w.output, Partition: 0}})
	if failed := new(txn.PartitionsError); !errors.As(err, &failed) || len(failed.Failed) != 1 || failed.Failed[missing] == nil {
		t.Errorf("got %v, want an error of partition 9", err)
	}
	w.write("a")
	w.end(true)
	testkit.ExpectError(t, w.AddPartitions(testkit.Context(t), []txn.TopicPartition{missing}), nil, "partition 9")
	w.end(false)
	w.write("b")
	w.end(true)
	w.expect(-1, "a", "b")
}

// TestOlderBrokers: exactly-once needs the generation in TxnOffsetCommit.
func TestOlderBrokers(t *testing.T) {
	for name, versions := range map[string]*kversion.Versions{
		"0.11": kversion.V0_11_0(), "2.3": kversion.V2_3_0(), "2.4": kversion.V2_4_0(),
	} {
		c := kafkatest.Fake(t, kfake.MaxVersions(versions))
		w := newWorker(t, &c.Cluster)
		t.Log(name)
		testkit.ExpectError(t, w.tryOpen(), txn.ErrUnsupported, "Kafka 2.5")
	}
	for name, versions := range map[string]*kversion.Versions{
		"2.5": kversion.V2_5_0(), "2.8": kversion.V2_8_0(), "3.0": kversion.V3_0_0(), "3.8": kversion.V3_8_0(),
	} {
		c := kafkatest.Fake(t, kfake.MaxVersions(versions))
		w := newWorker(t, &c.Cluster).open()
		if w.Version() != 1 {
			t.Errorf("Kafka %s: version %d", name, w.Version())
		}
		w.write("a")
		w.mustCommitOffset(1)
		w.end(true)
		w.write("lost")
		w.reopen()
		w.write("b")
		w.end(true)
		w.expect(1, "a", "b")
	}
}

// TestTheCoordinatorMoves: to another broker, between two requests.
func TestTheCoordinatorMoves(t *testing.T) {
	for name, opts := range map[string][]kfake.Opt{"version 1": {version1}, "version 2": nil} {
		t.Run(name, func(t *testing.T) {
			c := kafkatest.Fake(t, append(opts, kfake.NumBrokers(3))...)
			w := newWorker(t, &c.Cluster).open()
			for i := range 6 {
				c.Faults.ShufflePartitionLeaders()
				w.write("a")
				w.mustCommitOffset(int64(i))
				c.Faults.RehashCoordinators()
				w.end(true)
			}
			if n := w.network.count(protocol.FindCoordinator); n < 3 {
				t.Errorf("the coordinator was looked up %d times", n)
			}
			w.expect(5, "a", "a", "a", "a", "a", "a")
		})
	}
}

// TestTheEpochIsUsedUp: the coordinator gives another producer id then.
func TestTheEpochIsUsedUp(t *testing.T) {
	w := newWorker(t, &kafkatest.Fake(t).Cluster).open()
	first := w.Identity()
	for w.Identity().Epoch < math.MaxInt16-3 {
		w.end(false)
	}
	for range 5 {
		w.write("a")
		w.end(true)
	}
	if w.Identity().ID == first.ID {
		t.Errorf("the identity is %v", w.Identity())
	}
	w.reopen()
	w.write("a")
	w.end(true)
	w.expect(-1, "a", "a", "a", "a", "a", "a")
}
