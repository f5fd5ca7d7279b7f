package main

import (
	"context"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// franzGoChunk is how many records a goroutine gets at once.
const franzGoChunk = 1_000

// franzGoLoop is a plain loop as users of franz-go write it: it polls, runs the task on
// goroutines, produces, and marks a record for commit when its result is acknowledged.
func franzGoLoop(ctx context.Context, j job, t task, c *clock) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(j.Brokers...), kgo.ConsumeTopics(j.Input), kgo.ConsumerGroup(j.Group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitMarks(),
		kgo.DefaultProduceTopic(j.Output), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(100_000),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	chunks := make(chan []*kgo.Record, goroutines)
	var pool sync.WaitGroup
	for range goroutines {
		pool.Go(func() {
			for chunk := range chunks {
				franzGoProcess(ctx, client, chunk, t, fail)
			}
		})
	}
	franzGoRead(ctx, client, j.Records, chunks, c)
	close(chunks)
	pool.Wait()
	if err := client.Flush(ctx); err != nil {
		return context.Cause(ctx)
	}
	defer c.end()
	return client.CommitMarkedOffsets(ctx)
}

func franzGoRead(ctx context.Context, client *kgo.Client, records int, chunks chan<- []*kgo.Record, c *clock) {
	for read := 0; read < records && ctx.Err() == nil; {
		polled := client.PollRecords(ctx, 10*franzGoChunk).Records()
		if len(polled) > 0 && read == 0 {
			c.begin()
		}
		read += len(polled)
		for chunk := range slices.Chunk(polled, franzGoChunk) {
			chunks <- chunk
		}
	}
}

func franzGoProcess(ctx context.Context, client *kgo.Client, chunk []*kgo.Record, t task, fail context.CancelCauseFunc) {
	for _, in := range chunk {
		t(in.Value, in.Value)
		out := &kgo.Record{Key: in.Key, Value: in.Value, Headers: in.Headers, Timestamp: in.Timestamp}
		client.Produce(ctx, out, func(_ *kgo.Record, err error) {
			if err != nil {
				fail(err)
				return
			}
			client.MarkCommitRecords(in)
		})
	}
}
