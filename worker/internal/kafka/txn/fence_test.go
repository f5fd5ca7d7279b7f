package txn_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// isFenced reports whether an error says that the session is over.
func isFenced(err error) bool { return errors.Is(err, txn.ErrFenced) || errors.Is(err, txn.ErrAborted) }

// expectOver checks that nothing of a session's former identity is accepted.
func (w *worker) expectOver() {
	w.t.Helper()
	if err := w.tryWrite("zombie"); !errors.Is(err, kerr.InvalidProducerEpoch) && !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidTxnState) {
		w.t.Errorf("write: %v", err)
	}
	if err := w.commitOffset(99); !isFenced(err) {
		w.t.Errorf("CommitOffsets: %v", err)
	}
	if err := w.End(testkit.Context(w.t), true); !isFenced(err) {
		w.t.Errorf("commit: %v", err)
	}
}

// expectFenced is expectOver for a worker whose id another one has opened: it can't even
// abort.
func (w *worker) expectFenced() {
	w.t.Helper()
	w.expectOver()
	if err := w.End(testkit.Context(w.t), false); !isFenced(err) {
		w.t.Errorf("abort: %v", err)
	}
}

// TestAZombieIsRefused: once another worker has opened the id, the former owner's open
// transaction is aborted, and whatever it sends is refused.
func TestAZombieIsRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, _ int) {
		zombie := newWorker(t, c).open()
		zombie.write("a")
		zombie.mustCommitOffset(1)
		zombie.end(true)
		zombie.write("lost")
		zombie.mustCommitOffset(2)
		successor := zombie.other().open()
		zombie.expectFenced()
		successor.write("b")
		zombie.expectFenced()
		successor.mustCommitOffset(3)
		successor.end(true)
		zombie.expectFenced()
		successor.write("c")
		successor.end(true)
		successor.expect(3, "a", "b", "c")
	})
}

// TestAZombieCanNotContinue: it learns that another worker has the id, which goes on.
func TestAZombieCanNotContinue(t *testing.T) {
	onApache(t, func(t *testing.T, c *kafkatest.Cluster, _ int) { // kfake lets it continue
		zombie := newWorker(t, c).open()
		zombie.write("lost")
		zombie.cfg.Former = zombie.Identity()
		successor := zombie.other()
		successor.cfg.Former = txn.NoProducer
		successor.open()
		successor.write("a")
		testkit.ExpectError(t, zombie.tryOpen(), txn.ErrFenced, zombie.ID())
		successor.end(true)
		testkit.ExpectError(t, zombie.tryOpen(), txn.ErrFenced, zombie.ID())
		successor.reopen()
		testkit.ExpectError(t, zombie.tryOpen(), txn.ErrFenced, zombie.ID())
		successor.write("b")
		successor.end(true)
		successor.expect(-1, "a", "b")
	})
}

// TestReopeningEndsTheTransaction: the same process goes on after a failure.
func TestReopeningEndsTheTransaction(t *testing.T) {
	everywhere(t, func(t *testing.T, c *kafkatest.Cluster, _ int) {
		w := newWorker(t, c).open()
		w.write("a")
		w.mustCommitOffset(1)
		w.end(true)
		for range 3 {
			w.write("lost")
			w.mustCommitOffset(2)
			former := w.other()
			former.Session, former.producer = w.Session, w.producer
			w.reopen()
			if w.Identity() == former.Identity() {
				t.Errorf("the identity is still %v", w.Identity())
			}
			former.expectFenced()
		}
		w.write("b")
		w.mustCommitOffset(3)
		w.end(true)
		w.reopen().reopen() // nothing is open
		w.write("c")
		w.end(true)
		w.expect(3, "a", "b", "c")
	})
}

// TestTheCoordinatorEndsAnOldTransaction: after its timeout the transaction is aborted. The
// id's owner can't commit it any more, and may take the id again.
func TestTheCoordinatorEndsAnOldTransaction(t *testing.T) {
	for name, version := range map[string]int{"version 1": 0, "version 2": 2} {
		t.Run(name, func(t *testing.T) {
			broker := kafkatest.Shared(t, kafkatest.Feature("transaction.version", version),
				kafkatest.Property("transaction.abort.timed.out.transaction.cleanup.interval.ms", "100"))
			w := newWorker(t, &broker.Cluster, func(cfg *txn.Config) { cfg.Timeout = 5 * time.Second }).open()
			w.write("lost")
			w.mustCommitOffset(2)
			broker.Eventually("the transaction is aborted", func() bool {
				return broker.EndOffsets(w.output, kgo.ReadCommitted())[0] == 2
			})
			w.cfg.Former = w.Identity()
			if version == 2 {
				// The coordinator may take an abort for a repetition of its own.
				w.expectOver()
				if err := w.tryOpen(); err != nil && !errors.Is(err, txn.ErrFenced) {
					t.Errorf("open: %v", err)
				}
			} else {
				w.expectFenced()
				testkit.ExpectError(t, w.tryOpen(), txn.ErrFenced)
			}
			w.cfg.Former = txn.NoProducer
			w.open()
			w.write("a")
			w.mustCommitOffset(3)
			w.end(true)
			w.expect(3, "a")
		})
	}
}
