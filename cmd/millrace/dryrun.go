package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// A dry run copies the input topic's records to an embedded broker and runs there. So the
// real cluster is only read, whatever the processor does.

// connectDry connects to the real cluster, and to the embedded brokers in its place.
func (s *session) connectDry(ctx context.Context) error {
	source := realClusters(s.cfg, s.opts.brokers).input
	if err := source.connect(ctx, []string{s.cfg.Input.Topic}, s.logger()); err != nil {
		return err
	}
	s.source = source
	count, err := source.client.AwaitPartitions(ctx, s.cfg.Input.Topic)
	if err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	reader, err := s.readTopic(ctx, source, int(count))
	if err != nil {
		return err
	}
	s.feeder = &feeder{records: reader, topic: s.cfg.Input.Topic, most: s.opts.limit}
	s.screen.Say("Dry run: topic %s on %s is read from where the consumer group %s would begin. Nothing is written or committed there.",
		s.cfg.Input.Topic, source.where(), s.cfg.Input.GroupID)
	s.cfg.Input.StartOffset = config.Earliest // of the copy
	e := embedding{partitions: count, limit: highestLimit, created: s.sayCreated}
	if s.clusters, err = e.clusters(s.cfg); err != nil {
		return err
	}
	return s.clusters.connect(ctx, s.cfg, s.logger())
}

// readTopic returns a reader of the input topic's records that the group has not processed.
func (s *session) readTopic(ctx context.Context, source *cluster, partitions int) (*topicReader, error) {
	topic, isolation := s.cfg.Input.Topic, s.cfg.Input.IsolationLevel
	group, err := watchGroup(ctx, source, s.cfg.Input.GroupID, topic, partitions)
	if err != nil {
		return nil, err
	}
	defer group.close()
	at := kafka.Earliest
	if s.cfg.Input.StartOffset == config.Latest && group.isNew() {
		at = kafka.Latest
	}
	next, err := source.offsets(ctx, topic, at, isolation)
	if err != nil {
		return nil, fmt.Errorf("input topic: %w", err)
	}
	for partition, offset := range group.atFirst() {
		next[partition] = max(next[partition], offset)
	}
	reader := &topicReader{topic: topic, next: next}
	if s.opts.untilDrained {
		if reader.ends, err = source.offsets(ctx, topic, kafka.Latest, isolation); err != nil {
			return nil, fmt.Errorf("input topic: %w", err)
		}
	}
	return reader, reader.open(source, isolation)
}

// topicReader reads the records of a topic, and is no member of any group.
type topicReader struct {
	client  *kgo.Client
	topic   string
	next    map[int32]int64 // the next offset of each partition
	ends    map[int32]int64 // where to stop; nil is nowhere
	fetched []*kgo.Record
	last    *kgo.Record
}

func (r *topicReader) open(source *cluster, isolation config.IsolationLevel) (err error) {
	from := map[int32]kgo.Offset{}
	for partition, offset := range r.next {
		from[partition] = kgo.NewOffset().At(offset)
	}
	level := kgo.ReadCommitted()
	if isolation == config.ReadUncommitted {
		level = kgo.ReadUncommitted()
	}
	r.client, err = kgo.NewClient(append(source.kgoOptions(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: from}),
		kgo.FetchIsolationLevel(level),
		kgo.KeepControlRecords(), // their offsets are to be passed, too
		kgo.FetchMaxBytes(collectBytes),
	)...)
	return err
}

// Next implements recordReader.
func (r *topicReader) Next(ctx context.Context) (*kgo.Record, error) {
	moved := time.Now()
	for {
		for len(r.fetched) > 0 {
			r.last, r.fetched = r.fetched[0], r.fetched[1:]
			r.next[r.last.Partition] = r.last.Offset + 1
			if !r.last.Attrs.IsControl() && !r.beyond(r.last) {
				return &kgo.Record{
					Partition: r.last.Partition, Key: r.last.Key, Value: r.last.Value, Headers: r.last.Headers, Timestamp: r.last.Timestamp,
				}, nil
			}
		}
		if r.ends != nil && reached(r.next, r.ends) {
			return nil, io.EOF
		}
		if err := r.fetch(ctx); err != nil {
			return nil, err
		}
		if len(r.fetched) > 0 {
			moved = time.Now()
		} else if r.ends != nil && time.Since(moved) > collectPatience {
			return nil, fmt.Errorf("topic %q has returned no record for %s, and it has more", r.topic, collectPatience)
		}
	}
}

// beyond reports whether a record came after the run had begun to drain the topic.
func (r *topicReader) beyond(record *kgo.Record) bool {
	return r.ends != nil && record.Offset >= r.ends[record.Partition]
}

func (r *topicReader) fetch(ctx context.Context) error {
	poll, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	fetches := r.client.PollFetches(poll)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, failed := range fetches.Errors() {
		if poll.Err() == nil {
			return fmt.Errorf("read topic %q partition %d: %w", failed.Topic, failed.Partition, failed.Err)
		}
	}
	r.fetched = fetches.Records()
	return nil
}

// Place implements recordReader.
func (r *topicReader) Place() string {
	return fmt.Sprintf("partition %d offset %d of topic %s", r.last.Partition, r.last.Offset, r.topic)
}

// Limit implements recordReader: the records are already in a topic.
func (r *topicReader) Limit(int) {}

// Close implements recordReader.
func (r *topicReader) Close() error {
	r.client.Close()
	return nil
}
