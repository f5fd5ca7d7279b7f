package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// newValues makes a few thousand texts of valueBytes bytes.
func newValues() [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([][]byte, 4096)
	for i := range values {
		values[i] = make([]byte, valueBytes)
		for k := range values[i] {
			values[i][k] = "abcdefghijklmnopqrstuvwxyz 0123456789"[rng.IntN(37)]
		}
	}
	return values
}

// produceInput fills a topic with uncompressed records. Kafka's default partitioner
// chooses their partitions by their keys.
func produceInput(ctx context.Context, brokers []string, topic string, records int) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(100_000),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	rng := rand.New(rand.NewPCG(3, 4))
	zipf, values := rand.NewZipf(rng, zipfS, 1, keys-1), newValues()
	for i := range records {
		key := strconv.AppendUint([]byte("key-"), zipf.Uint64(), 10)
		client.Produce(ctx, &kgo.Record{Key: key, Value: values[i%len(values)]}, func(_ *kgo.Record, err error) {
			if err != nil {
				fail(err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("produce the input: %w", context.Cause(ctx))
	}
	return context.Cause(ctx)
}
