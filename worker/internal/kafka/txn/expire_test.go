package txn_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestTheCoordinatorForgetsAnIdleID: the owner of an id that was idle for longer than
// transactional.id.expiration.ms learns so from its next transaction, and takes the id again.
func TestTheCoordinatorForgetsAnIdleID(t *testing.T) {
	for name, version := range map[string]int{"version 1": 0, "version 2": 2} {
		t.Run(name, func(t *testing.T) {
			broker := kafkatest.Apache(t, kafkatest.Feature("transaction.version", version),
				kafkatest.Property("transactional.id.expiration.ms", "1000"),
				kafkatest.Property("transaction.remove.expired.transaction.cleanup.interval.ms", "200"))
			w := newWorker(t, &broker.Cluster).open()
			w.write("a")
			w.mustCommitOffset(1)
			w.end(true)
			client := broker.Client()
			broker.Eventually("the id is forgotten", func() bool { return forgotten(t, client, w.ID()) })
			if err := w.commitOffset(2); !isFenced(err) {
				t.Errorf("CommitOffsets: %v", err)
			}
			w.cfg.Former = w.Identity()
			w.open()
			w.write("b")
			w.mustCommitOffset(3)
			w.end(true)
			w.expect(3, "a", "b")
		})
	}
}

// forgotten reports whether the coordinator does not know a transactional id.
func forgotten(t *testing.T, client *kgo.Client, id string) bool {
	t.Helper()
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{id}
	res, err := req.RequestWith(testkit.Context(t), client)
	if err != nil {
		t.Fatal(err)
	}
	return res.TransactionStates[0].ErrorCode == kerr.TransactionalIDNotFound.Code
}
