package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// kafkaGoChunk is how many messages a goroutine gets at once. It is large enough for a
// chunk to fill the writer's batches.
const kafkaGoChunk = 5_000

// kafkaGoLoop is a plain loop as users of kafka-go write it: a Reader in a group,
// goroutines, a Writer, and CommitMessages after the write. It does not commit in order,
// so it may lose records in a crash.
func kafkaGoLoop(ctx context.Context, j job, t task, c *clock) error {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: j.Brokers, Topic: j.Input, GroupID: j.Group,
		StartOffset: kafka.FirstOffset, MinBytes: 1, MaxBytes: 10 << 20,
		MaxWait: 500 * time.Millisecond, QueueCapacity: 2 * kafkaGoChunk,
	})
	writer := &kafka.Writer{
		Addr: kafka.TCP(j.Brokers...), Topic: j.Output, Balancer: kafka.Murmur2Balancer{},
		RequiredAcks: kafka.RequireAll, BatchSize: kafkaGoChunk, BatchTimeout: 2 * time.Millisecond,
	}
	chunks, failed := make(chan []kafka.Message, goroutines), make(chan error, goroutines)
	var pool sync.WaitGroup
	for range goroutines {
		pool.Go(func() {
			for chunk := range chunks {
				if err := kafkaGoProcess(ctx, reader, writer, chunk, t); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	err := kafkaGoRead(ctx, reader, j.Records, chunks, failed, c)
	close(chunks)
	pool.Wait()
	c.end()
	return errors.Join(err, writer.Close(), reader.Close())
}

// kafkaGoRead reads messages and sends them in chunks.
func kafkaGoRead(ctx context.Context, reader *kafka.Reader, records int, chunks chan<- []kafka.Message, failed <-chan error, c *clock) error {
	var chunk []kafka.Message
	for n := range records {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			c.begin()
		}
		if chunk = append(chunk, m); len(chunk) < kafkaGoChunk && n < records-1 {
			continue
		}
		select {
		case chunks <- chunk:
			chunk = make([]kafka.Message, 0, kafkaGoChunk)
		case err := <-failed:
			return err
		}
	}
	return nil
}

func kafkaGoProcess(ctx context.Context, reader *kafka.Reader, writer *kafka.Writer, chunk []kafka.Message, t task) error {
	results := make([]kafka.Message, len(chunk))
	for i := range chunk {
		m := &chunk[i]
		t(m.Value, m.Value)
		results[i] = kafka.Message{Key: m.Key, Value: m.Value, Headers: m.Headers, Time: m.Time}
	}
	if err := writer.WriteMessages(ctx, results...); err != nil {
		return err
	}
	return reader.CommitMessages(ctx, chunk...)
}
