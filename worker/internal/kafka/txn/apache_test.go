package txn_test

import (
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestTheBrokersRefuseATimeout: the error names their limit.
func TestTheBrokersRefuseATimeout(t *testing.T) {
	c := &kafkatest.Shared(t).Cluster
	w := newWorker(t, c, func(cfg *txn.Config) { cfg.Timeout = time.Hour })
	testkit.ExpectError(t, w.tryOpen(), nil, "1h0m0s", "transaction.max.timeout.ms", w.cfg.TransactionalID)
}

// TestTheUserMayNotUseTheID: with each permission that is missing.
func TestTheUserMayNotUseTheID(t *testing.T) {
	alice := kafkatest.User{Mechanism: "PLAIN", Name: "alice", Password: "secret"}
	allow := func(id string, operation kmsg.ACLOperation) kafkatest.ACL {
		return kafkatest.ACL{User: alice.Name, Resource: kmsg.ACLResourceTypeTransactionalId, Name: id, Operation: operation}
	}
	broker := kafkatest.Apache(t, kafkatest.Users(alice), kafkatest.ACLs(
		allow("described", kmsg.ACLOperationDescribe), allow("allowed", kmsg.ACLOperationWrite), // which implies Describe
	))
	client, err := kafka.NewClient(kafka.ClientConfig{
		BootstrapServers: broker.SecureAddrs(), SASL: &kafka.SASL{Mechanism: alice.Mechanism, Username: alice.Name, Password: alice.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	cfg := txn.Config{Timeout: 10 * time.Second, Former: txn.NoProducer}
	for _, id := range []string{"somebody else's", "described"} {
		cfg.TransactionalID = id
		_, err := txn.Open(testkit.Context(t), client, cfg)
		testkit.ExpectError(t, err, kafka.ErrNotAuthorized, id, "Write and Describe")
	}
	cfg.TransactionalID = "allowed"
	s, err := txn.Open(testkit.Context(t), client, cfg)
	if err != nil {
		t.Fatal(err)
	}
	broker.CreateTopic("input", 1, nil)
	err = s.CommitOffsets(testkit.Context(t), txn.Offsets{
		Group: "forbidden", Generation: -1, Topic: "input", Partitions: []txn.Offset{{Offset: 1, LeaderEpoch: -1}},
	})
	testkit.ExpectError(t, err, nil, "Group Authorization Failed")
	if s.Version() == 1 {
		t.Error("version 1")
	}
}

// TestTheCoordinatorRestarts: it ends while it is asked to commit. Whatever the session
// says, records and offsets are there together or not at all.
func TestTheCoordinatorRestarts(t *testing.T) {
	for name, option := range map[string]kafkatest.Option{
		"version 1": kafkatest.Feature("transaction.version", 0), "version 2": kafkatest.Feature("transaction.version", 2),
	} {
		t.Run(name, func(t *testing.T) {
			broker := kafkatest.Apache(t, option)
			w := newWorker(t, &broker.Cluster, func(cfg *txn.Config) { cfg.Timeout = 50 * time.Second }).open()
			w.write("a")
			w.mustCommitOffset(1)
			w.end(true)
			for i, end := range []func(){broker.Stop, broker.Kill} {
				w.write("maybe")
				w.mustCommitOffset(int64(10 + i))
				gone := make(chan struct{})
				w.network.whenSent(protocol.EndTxn, func() {
					go func() {
						end()
						close(gone)
					}()
				})
				ended := make(chan error, 1)
				go func() { ended <- w.End(testkit.Context(t), true) }()
				<-gone
				broker.Start()
				err := <-ended
				t.Logf("after %d requests: %v", w.network.count(protocol.EndTxn), err)
				if err != nil && !errors.Is(err, txn.ErrUnknown) {
					t.Errorf("got %v, want an ErrUnknown or none", err)
				}
				if err != nil || i == 0 {
					w.reopen()
				}
				w.cluster = broker.For(t) // its connections are new
				w.expectTogether(err == nil, int64(10+i))
			}
			w.write("last")
			w.mustCommitOffset(20)
			w.end(true)
		})
	}
}
