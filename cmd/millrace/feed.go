package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// feedBuffer and feedBytes bound the records that wait for the broker's
	// acknowledgement. The feeder reads no further record while so many wait.
	feedBuffer = 10_000
	feedBytes  = 64 << 20
	// defaultLimit is Kafka's default for max.message.bytes. lowestLimit and highestLimit
	// are the bounds of franz-go, and of a request.
	defaultLimit = 1_048_588
	lowestLimit  = 512
	highestLimit = 90 << 20
)

// feeder writes records into the input topic.
type feeder struct {
	records    recordReader
	topic      string
	partitions int32 // of the topic
	most       int64 // how many records to feed; 0 is all
	pace       pace
	// fed counts the records that the broker has acknowledged.
	fed atomic.Int64
}

// run feeds all records. It returns when all in-sync replicas have acknowledged them, or
// with the first error.
func (f *feeder) run(ctx context.Context, c *cluster) error {
	limit, err := c.topicLimit(ctx, f.topic)
	if err != nil {
		return fmt.Errorf("feed topic %q: %w", f.topic, err)
	}
	f.records.Limit(int(limit))
	client, err := kgo.NewClient(append(c.kgoOptions(),
		kgo.DefaultProduceTopic(f.topic),
		kgo.MaxBufferedRecords(feedBuffer),
		kgo.MaxBufferedBytes(max(feedBytes, 2*int(limit))),
		kgo.ProducerBatchMaxBytes(limit),
		kgo.RecordPartitioner(partitioner{kgo.UniformBytesPartitioner(64<<10, false, true, nil)}),
	)...)
	if err != nil {
		return fmt.Errorf("feed topic %q: %w", f.topic, err)
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	for n := int64(0); f.most == 0 || n < f.most; n++ {
		if err := f.pace.wait(ctx); err != nil {
			return context.Cause(ctx)
		}
		record, err := f.records.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if _, ok := errors.AsType[*tooLongError](err); ok {
			return fmt.Errorf("%w, the most that topic %q takes (max.message.bytes)", err, f.topic)
		}
		if err != nil {
			return err
		}
		if record.Partition >= f.partitions {
			return fmt.Errorf("%s: topic %q has no partition %d, but %d partitions", f.records.Place(), f.topic, record.Partition, f.partitions)
		}
		f.pace.add(len(record.Key) + len(record.Value))
		f.produce(ctx, client, record, fail)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if err := client.Flush(ctx); err != nil {
		return context.Cause(ctx)
	}
	return context.Cause(ctx)
}

func (f *feeder) produce(ctx context.Context, client *kgo.Client, record *kgo.Record, fail context.CancelCauseFunc) {
	place, size := f.records.Place(), len(record.Value)
	client.Produce(ctx, record, func(_ *kgo.Record, err error) {
		if err != nil {
			fail(fmt.Errorf("feed %s (%d bytes) into topic %q: %w", place, size, f.topic, err))
			return
		}
		f.fed.Add(1)
	})
}

// topicLimit returns a topic's max.message.bytes, or a default if the user may not ask for
// it.
func (c *cluster) topicLimit(ctx context.Context, topic string) (int32, error) {
	client, err := kgo.NewClient(c.kgoOptions()...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return defaultLimit, ctx.Err()
	}
	found, err := configs.On(topic, nil)
	if err != nil || found.Err != nil {
		return defaultLimit, nil
	}
	for _, config := range found.Configs {
		if limit, err := strconv.ParseInt(config.MaybeValue(), 10, 32); config.Key == "max.message.bytes" && err == nil {
			return int32(min(max(limit, lowestLimit), highestLimit)), nil
		}
	}
	return defaultLimit, nil
}

// partitioner takes records to the partitions that they name, and others where Kafka's
// default does.
type partitioner struct{ rest kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{p.rest.ForTopic(topic).(kgo.TopicBackupPartitioner)}
}

type topicPartitioner struct{ kgo.TopicBackupPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner.
func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicBackupPartitioner.RequiresConsistency(r)
}

// PartitionByBackup implements kgo.TopicBackupPartitioner.
func (p topicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.TopicBackupPartitioner.PartitionByBackup(r, n, backup)
}
