package txn_test

import (
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestReadersSeeCommittedTransactionsOnly: records and offsets show together, after a
// commit, and after an abort neither does.
func TestReadersSeeCommittedTransactionsOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		w := newWorker(t, c).open()
		if w.Version() != version {
			t.Errorf("version %d of the protocol, want %d", w.Version(), version)
		}
		w.mustCommitOffset(0) // kfake knows no group before its first commit
		w.end(true)
		for i, round := range []struct {
			value  string
			commit bool
		}{{"a", true}, {"b", false}, {"c", true}, {"d", true}, {"e", false}} {
			before := w.Identity()
			w.write(round.value)
			w.mustCommitOffset(int64(i))
			if !w.unstable() {
				t.Error("the offset of an open transaction is stable")
			}
			w.end(round.commit)
			if changed := w.Identity() != before; changed != (version == 2) {
				t.Errorf("from %v to %v with the end of a transaction", before, w.Identity())
			}
		}
		w.expect(3, "a", "c", "d")
	})
}

// TestATransactionOfOffsetsOnly: no record could be written.
func TestATransactionOfOffsetsOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		w := newWorker(t, c).open()
		if version == 1 {
			// The partition is part of the transaction, but nothing is written to it.
			if err := w.AddPartitions(testkit.Context(t), []txn.TopicPartition{{Topic: w.output, Partition: 1}}); err != nil {
				t.Fatal(err)
			}
		}
		w.mustCommitOffset(7)
		w.end(true)
		w.expect(7)
		w.write("next")
		w.end(true)
		w.expect(7, "next")
	})
}

// TestAnEmptyTransaction: version 1 has nothing to ask the coordinator for.
func TestAnEmptyTransaction(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		w := newWorker(t, c).open()
		err := w.End(testkit.Context(t), true)
		if version == 1 {
			if err != nil || w.network.count(protocol.EndTxn) > 0 {
				t.Errorf("got %v after %d requests", err, w.network.count(protocol.EndTxn))
			}
		} else {
			testkit.ExpectError(t, err, txn.ErrAborted, "Invalid Transaction State")
			w.reopen()
		}
		w.end(false)
		w.write("next")
		w.mustCommitOffset(1)
		w.end(true)
		w.expect(1, "next")
	})
}

// TestPartitionsAreAddedOnce: one request for new partitions, none for those that are part
// of the transaction, and one that does not exist keeps no other one out. On version 2, which
// does not ask for it, that changes nothing about the transaction.
func TestPartitionsAreAddedOnce(t *testing.T) {
	onApache(t, func(t *testing.T, c *kafkatest.Cluster, _ int) {
		w := newWorker(t, c).open()
		both := []txn.TopicPartition{{Topic: w.output, Partition: 1}, {Topic: w.output, Partition: 0}, {Topic: w.output, Partition: 1}}
		missing := txn.TopicPartition{Topic: w.output, Partition: 9}
		ctx := testkit.Context(t)
		for _, commit := range []bool{true, false, true} {
			err := w.AddPartitions(ctx, append(both, missing))
			testkit.ExpectError(t, err, nil, "partition 9", w.output, w.ID())
			requests := w.network.count(protocol.AddPartitionsToTxn)
			if err := w.AddPartitions(ctx, both); err != nil || w.network.count(protocol.AddPartitionsToTxn) != requests {
				t.Errorf("%d requests after %d: %v", w.network.count(protocol.AddPartitionsToTxn), requests, err)
			}
			if err := w.tryWrite("a"); err != nil {
				t.Fatal(err)
			}
			w.end(commit)
		}
		w.expect(-1, "a", "a")
	})
}

// TestPartitionsOfASuccessorAreNotAdded: a request under an identity that is over changes
// nothing.
func TestPartitionsOfASuccessorAreNotAdded(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, _ int) {
		former := newWorker(t, c).open()
		next := former.other().open()
		err := former.AddPartitions(testkit.Context(t), []txn.TopicPartition{{Topic: former.output, Partition: 0}})
		if err == nil {
			t.Error("a session that is over has added a partition")
		}
		next.write("next")
		next.end(true)
		next.expect(-1, "next")
	})
}
