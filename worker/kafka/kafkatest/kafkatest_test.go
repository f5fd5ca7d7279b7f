package kafkatest

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMain(m *testing.M) { Main(m) }

func TestFakeRoundTrip(t *testing.T) {
	roundTrip(t, &Fake(t).Cluster)
}

func TestApacheRoundTrip(t *testing.T) {
	roundTrip(t, &Shared(t).Cluster)
}

func TestOtherReleasesRoundTrip(t *testing.T) {
	for _, option := range []Option{Release(Kafka39), Release(Kafka44), Feature("transaction.version", 0)} {
		roundTrip(t, &Apache(t, option).Cluster)
	}
}

// roundTrip writes plain records, an aborted transaction and a committed one, and reads
// the topic under both isolation levels.
func roundTrip(t *testing.T, c *Cluster) {
	t.Helper()
	const topic = "kafkatest-round-trip"
	c.CreateTopic(topic, 2, nil)
	c.Produce(record(topic, 0, "plain"), record(topic, 1, "other partition"))
	c.ProduceTxn("kafkatest-txn", false, record(topic, 0, "aborted"))
	c.ProduceTxn("kafkatest-txn", true, record(topic, 0, "committed"))

	// A marker follows the aborted and the committed record.
	c.Eventually("the markers are written", func() bool {
		return c.EndOffsets(topic, kgo.ReadCommitted())[0] == 5
	})
	expect(t, c.ConsumeAll(topic, kgo.ReadCommitted()), "plain", "committed", "other partition")
	expect(t, c.ConsumeAll(topic, kgo.ReadUncommitted()), "plain", "aborted", "committed", "other partition")
}

func TestOpenTransactionHoldsTheStableOffset(t *testing.T) {
	c := Fake(t)
	c.CreateTopic("open", 1, nil)
	c.Produce(record("open", 0, "before"))
	txn := c.Begin("open-txn")
	txn.Produce(record("open", 0, "inside"))
	if got := c.EndOffsets("open", kgo.ReadCommitted())[0]; got != 1 {
		t.Errorf("last stable offset: got %d, want 1", got)
	}
	if got := c.EndOffsets("open", kgo.ReadUncommitted())[0]; got != 2 {
		t.Errorf("high watermark: got %d, want 2", got)
	}
	txn.Commit()
}

// TestOldRecordsStay: tests write records with timestamps of 1970, and such a record must
// not vanish when the broker looks for what its retention lets it delete.
func TestOldRecordsStay(t *testing.T) {
	b := Apache(t, Property("log.initial.task.delay.ms", "0"), Property("log.retention.check.interval.ms", "100"))
	b.CreateTopic("old", 1, nil)
	b.CreateTopic("short", 1, map[string]string{"retention.ms": "1000"})
	for _, topic := range []string{"old", "short"} {
		old := record(topic, 0, "old")
		old.Timestamp = time.UnixMilli(1)
		b.Produce(old)
	}
	b.Eventually("the broker has looked", func() bool { return b.listOffsets("short", -2, 0)[0] == 1 })
	expect(t, b.ConsumeAll("old", kgo.ReadUncommitted()), "old")
}

func TestRestartKeepsDataAndPort(t *testing.T) {
	b := Apache(t)
	b.CreateTopic("kept", 1, nil)
	b.Produce(record("kept", 0, "one"))
	b.Kill()
	b.Start()
	b.Produce(record("kept", 0, "two"))
	b.Restart()
	expect(t, b.ConsumeAll("kept", kgo.ReadUncommitted()), "one", "two")
}

func record(topic string, partition int32, value string) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}
}

func expect(t *testing.T, records []*kgo.Record, values ...string) {
	t.Helper()
	if len(records) != len(values) {
		t.Fatalf("got %d records, want %d", len(records), len(values))
	}
	for i, r := range records {
		if string(r.Value) != values[i] {
			t.Errorf("record %d: got %q, want %q", i, r.Value, values[i])
		}
	}
}
