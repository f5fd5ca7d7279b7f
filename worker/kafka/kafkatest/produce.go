package kafkatest

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Produce writes records and waits for their acknowledgements. It writes each record to
// its Partition, and keeps its Topic, Key, Value, Headers and Timestamp.
func (c *Cluster) Produce(records ...*kgo.Record) {
	c.tb.Helper()
	c.ProduceWith(nil, records...)
}

// ProduceWith writes records like Produce, with options of franz-go such as a
// compression, or kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)) for Kafka's
// default partitioner.
func (c *Cluster) ProduceWith(opts []kgo.Opt, records ...*kgo.Record) {
	c.tb.Helper()
	client := c.Client(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)...)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		c.tb.Fatalf("produce: %v", err)
	}
}

// Txn is an open transaction.
type Txn struct {
	c      *Cluster
	client *kgo.Client
}

// Begin starts a transaction under a transactional id.
func (c *Cluster) Begin(transactionalID string, opts ...kgo.Opt) *Txn {
	c.tb.Helper()
	client := c.Client(append([]kgo.Opt{
		kgo.TransactionalID(transactionalID),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err := client.BeginTransaction(); err != nil {
		c.tb.Fatalf("begin transaction %q: %v", transactionalID, err)
	}
	return &Txn{c: c, client: client}
}

// Produce writes records in the transaction and waits for their acknowledgements.
func (t *Txn) Produce(records ...*kgo.Record) {
	t.c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := t.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.c.tb.Fatalf("produce in a transaction: %v", err)
	}
}

// Commit commits the transaction and waits for the broker's answer.
func (t *Txn) Commit() { t.c.tb.Helper(); t.end(kgo.TryCommit) }

// Abort aborts the transaction. Its records stay in the log.
func (t *Txn) Abort() { t.c.tb.Helper(); t.end(kgo.TryAbort) }

func (t *Txn) end(how kgo.TransactionEndTry) {
	t.c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := t.client.EndTransaction(ctx, how); err != nil {
		t.c.tb.Fatalf("end transaction: %v", err)
	}
	t.client.Close()
}

// ProduceTxn writes records in one transaction, and commits or aborts it.
func (c *Cluster) ProduceTxn(transactionalID string, commit bool, records ...*kgo.Record) {
	c.tb.Helper()
	txn := c.Begin(transactionalID)
	txn.Produce(records...)
	if commit {
		txn.Commit()
	} else {
		txn.Abort()
	}
}
