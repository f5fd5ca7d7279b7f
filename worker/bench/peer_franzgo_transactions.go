package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// transactionInterval is the time after which a transaction ends, as in this worker's
// defaults.
const transactionInterval = 100 * time.Millisecond

// franzGoTransactions is a loop as users of franz-go write it for delivery exactly once:
// within a transaction it polls, runs the task on goroutines and produces.
func franzGoTransactions(ctx context.Context, j job, t task, c *clock) error {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(j.Brokers...), kgo.ConsumeTopics(j.Input), kgo.ConsumerGroup(j.Group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.TransactionalID(j.Group),
		kgo.DefaultProduceTopic(j.Output), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(100_000),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	for done := 0; done < j.Records; {
		n, err := franzGoTransaction(ctx, session, j.Records-done, t, c)
		if err != nil {
			return err
		}
		done += n
	}
	c.end()
	return nil
}

// franzGoTransaction runs one transaction of at most n records. It returns how many it has
// committed.
func franzGoTransaction(ctx context.Context, session *kgo.GroupTransactSession, n int, t task, c *clock) (int, error) {
	if err := session.Begin(); err != nil {
		return 0, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	chunks := make(chan []*kgo.Record, goroutines)
	var pool sync.WaitGroup
	for range goroutines {
		pool.Go(func() {
			for chunk := range chunks {
				for _, in := range chunk {
					t(in.Value, in.Value)
					session.Produce(ctx, &kgo.Record{Key: in.Key, Value: in.Value, Headers: in.Headers, Timestamp: in.Timestamp},
						func(_ *kgo.Record, err error) {
							if err != nil {
								fail(err)
							}
						})
				}
			}
		})
	}
	read := 0
	for start := time.Now(); read < n && ctx.Err() == nil && time.Since(start) < transactionInterval; {
		polled := session.PollRecords(ctx, 10*franzGoChunk).Records()
		if len(polled) > 0 {
			c.begin()
		}
		read += len(polled)
		for chunk := range slices.Chunk(polled, franzGoChunk) {
			chunks <- chunk
		}
	}
	close(chunks)
	pool.Wait()
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	committed, err := session.End(ctx, kgo.TryCommit)
	if err == nil && !committed {
		err = errors.New("a transaction of the only member of the group was aborted")
	}
	return read, err
}
