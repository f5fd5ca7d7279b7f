package subject

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
)

// franzGo is a loop as franz-go's documentation has it: a GroupTransactSession that
// polls, begins a transaction, produces the results, and ends it.
func (c Config) franzGo(ctx context.Context) error {
	password, err := c.password()
	if err != nil {
		return err
	}
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(c.Brokers...), kgo.SASL(plain.Auth{User: c.User, Pass: password}.AsMechanism()),
		kgo.ConsumeTopics(c.Input), kgo.ConsumerGroup(c.Group), kgo.SessionTimeout(SessionTimeout),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMaxAge(10*time.Second),
		kgo.TransactionalID(c.Group+"-"+c.Process), kgo.TransactionTimeout(transactionTimeout),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(workload.MaxMessageBytes),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	behaviour := workload.Behaviour{Dir: c.SharedDir}
	for ctx.Err() == nil {
		polling, cancel := context.WithTimeout(ctx, time.Second)
		fetches := session.PollRecords(polling, c.InFlight)
		cancel()
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := c.transact(ctx, session, fetches, &behaviour); err != nil {
			return err
		}
	}
	return nil
}

// transact writes the results of one poll in one transaction.
func (c Config) transact(ctx context.Context, session *kgo.GroupTransactSession, fetches kgo.Fetches, behaviour *workload.Behaviour) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := session.Begin(); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	promise := kgo.AbortingFirstErrPromise(session.Client())
	fetches.EachRecord(func(r *kgo.Record) {
		for _, m := range c.results(behaviour, fromFranzGo(r)) {
			session.Produce(ctx, toFranzGo(&m), promise.Promise())
		}
	})
	failed := promise.Err()
	if _, err := session.End(ctx, kgo.TransactionEndTry(failed == nil)); err != nil {
		return fmt.Errorf("end a transaction: %w", err)
	}
	return nil
}

func fromFranzGo(r *kgo.Record) message {
	in := message{topic: r.Topic, partition: r.Partition, offset: r.Offset, key: r.Key, value: r.Value}
	for _, h := range r.Headers {
		in.headers = append(in.headers, header{h.Key, h.Value})
	}
	return in
}

func toFranzGo(m *message) *kgo.Record {
	r := &kgo.Record{Topic: m.topic, Key: m.key, Value: m.value}
	for _, h := range m.headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.key, Value: h.value})
	}
	return r
}
