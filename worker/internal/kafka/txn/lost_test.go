package txn_test

import (
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestTheAnswerToACommitIsLost: version 2 asks again and learns that the transaction is
// committed. Version 1 leaves it to the stable offset.
func TestTheAnswerToACommitIsLost(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		w := newWorker(t, c).open()
		w.write("a")
		w.mustCommitOffset(1)
		w.network.loseAnswers(protocol.EndTxn, 2)
		err := w.End(testkit.Context(t), true)
		if version == 1 {
			testkit.ExpectError(t, err, txn.ErrUnknown, w.ID(), "commit the transaction")
			if n := w.network.count(protocol.EndTxn); n != 1 {
				t.Errorf("%d requests", n)
			}
			w.network.loseAnswers(protocol.EndTxn, 0)
			w.reopen()
		} else if err != nil {
			t.Fatal(err)
		}
		w.expect(1, "a")
		w.write("b")
		w.mustCommitOffset(2)
		w.end(true)
		w.expect(2, "a", "b")
	})
}

// TestACommitArrivesLate: the request to commit is still on its way when the producer has
// given up waiting. It must not commit the next transaction.
func TestACommitArrivesLate(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		w := newWorker(t, c).open()
		w.write("a")
		w.mustCommitOffset(1)
		w.network.holdRequests(protocol.EndTxn, 1)
		err := w.End(testkit.Context(t), true)
		want := []string{"a"}
		if version == 1 {
			testkit.ExpectError(t, err, txn.ErrUnknown)
			w.reopen()
			want = nil
		} else if err != nil {
			t.Fatal(err)
		}
		w.write("b")
		w.mustCommitOffset(2)
		if n := w.network.release(); n != 1 {
			t.Fatalf("%d requests were held", n)
		}
		w.write("c")
		if !w.unstable() {
			t.Error("the late request has ended the next transaction")
		}
		w.end(false)
		w.write("d")
		w.mustCommitOffset(3)
		w.end(true)
		w.expect(3, append(want, "d")...)
	})
}

// TestOffsetsWithoutAnAnswer: on version 1 a late request would put old offsets into the
// next transaction.
func TestOffsetsWithoutAnAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		w := newWorker(t, c).open()
		w.write("a")
		w.network.loseAnswers(protocol.TxnOffsetCommit, 1)
		err := w.commitOffset(1)
		if version == 1 {
			testkit.ExpectError(t, err, txn.ErrUnknown, "add offsets")
			if n := w.network.count(protocol.TxnOffsetCommit); n != 1 {
				t.Errorf("%d requests", n)
			}
			w.reopen()
			w.mustCommitOffset(0)
			w.end(true)
			w.expect(0)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		w.end(true)
		w.expect(1, "a")
	})
}

// TestOffsetsArriveLate: those of a transaction that was given up don't get into the next.
func TestOffsetsArriveLate(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, version int) {
		if strings.HasSuffix(t.Name(), kafkatest.Kafka39) {
			t.Skip("before Kafka 4.0 a group's coordinator that refuses late offsets also forgets those of the next transaction")
		}
		w := newWorker(t, c).open()
		w.mustCommitOffset(1)
		w.end(true)
		w.network.holdRequests(protocol.TxnOffsetCommit, 1)
		err := w.commitOffset(2)
		if version == 1 {
			testkit.ExpectError(t, err, txn.ErrUnknown)
		} else if err != nil {
			t.Fatal(err)
		}
		w.reopen()
		w.mustCommitOffset(5)
		if n := w.network.release(); n != 1 {
			t.Fatalf("%d requests were held", n)
		}
		w.end(true)
		w.expect(5)
	})
}

// TestOtherAnswersAreLost: requests that may be repeated at any time.
func TestOtherAnswersAreLost(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, _ int) {
		w := newWorker(t, c)
		w.network.loseAnswers(protocol.InitProducerId, 1)
		w.open()
		w.write("lost")
		w.network.loseAnswers(protocol.EndTxn, 1)
		w.reopen() // aborts
		w.write("lost too")
		w.network.loseAnswers(protocol.InitProducerId, 1)
		w.reopen()
		for _, key := range []protocol.ApiKey{protocol.AddPartitionsToTxn, protocol.AddOffsetsToTxn, protocol.FindCoordinator, protocol.ApiVersions} {
			w.network.loseAnswers(key, 1)
			w.write("a")
			w.mustCommitOffset(4)
			w.end(true)
		}
		w.expect(4, "a", "a", "a", "a")
	})
}
