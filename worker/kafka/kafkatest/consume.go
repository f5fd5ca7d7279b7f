package kafkatest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// quiet is the time without records after which ConsumeAll ends. Without it, ConsumeAll
// would not end if compaction has removed a partition's last records.
const quiet = 3 * time.Second

// ConsumeAll returns all records that a topic holds now, ordered by partition and
// offset. With kgo.ReadCommitted() it leaves out those of open and aborted transactions,
// with kgo.ReadUncommitted() it does not.
func (c *Cluster) ConsumeAll(topic string, isolation kgo.IsolationLevel) []*kgo.Record {
	c.tb.Helper()
	missing := c.nonEmpty(topic, isolation)
	starts := make(map[int32]kgo.Offset, len(missing))
	for partition := range missing {
		starts[partition] = kgo.NewOffset().AtStart()
	}
	if len(starts) == 0 {
		return nil
	}
	// The offsets of transaction markers show how far the reader has come, too.
	client := c.Client(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}),
		kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond),
	)
	defer client.Close()
	return c.readUntil(client, missing)
}

// readUntil polls until it has passed each partition's end.
func (c *Cluster) readUntil(client *kgo.Client, ends map[int32]int64) []*kgo.Record {
	c.tb.Helper()
	var records []*kgo.Record
	// On a busy machine the first answer may take long.
	patience := 10 * quiet
	for len(ends) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		fetches := client.PollFetches(ctx)
		cancel()
		if errors.Is(fetches.Err0(), context.DeadlineExceeded) {
			break
		}
		patience = quiet
		fetches.EachError(func(topic string, partition int32, err error) {
			c.tb.Fatalf("consume topic %q, partition %d: %v", topic, partition, err)
		})
		fetches.EachRecord(func(r *kgo.Record) {
			end, reading := ends[r.Partition]
			if reading && r.Offset < end && !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if r.Offset >= end-1 {
				delete(ends, r.Partition)
			}
		})
	}
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return records
}

// nonEmpty returns the end offsets of the partitions that hold offsets.
func (c *Cluster) nonEmpty(topic string, isolation kgo.IsolationLevel) map[int32]int64 {
	c.tb.Helper()
	starts := c.listOffsets(topic, -2, 0)
	ends := c.EndOffsets(topic, isolation)
	for partition, end := range ends {
		if starts[partition] >= end {
			delete(ends, partition)
		}
	}
	return ends
}

// EndOffsets returns the offset of the next record of each partition, or with
// kgo.ReadCommitted() the last stable offset.
func (c *Cluster) EndOffsets(topic string, isolation kgo.IsolationLevel) map[int32]int64 {
	c.tb.Helper()
	var level int8
	if isolation == kgo.ReadCommitted() {
		level = 1
	}
	return c.listOffsets(topic, -1, level)
}

func (c *Cluster) listOffsets(topic string, timestamp int64, isolation int8) map[int32]int64 {
	c.tb.Helper()
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = topic
	for partition := range c.Partitions(topic) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = partition, timestamp
		asked.Partitions = append(asked.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel, req.Topics = isolation, append(req.Topics, asked)
	offsets := make(map[int32]int64)
	for _, t := range request[*kmsg.ListOffsetsResponse](c, req).Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				c.tb.Fatalf("list offsets of topic %q, partition %d: %v", topic, p.Partition, err)
			}
			offsets[p.Partition] = p.Offset
		}
	}
	return offsets
}

// Committed is an offset that a group committed.
type Committed struct {
	Offset      int64
	LeaderEpoch int32 // of the last record below Offset; -1 if unknown
	Metadata    string
}

// GroupOffsets returns the committed offsets of a group, by topic and partition.
func (c *Cluster) GroupOffsets(group string) map[string]map[int32]Committed {
	c.tb.Helper()
	asked := kmsg.NewOffsetFetchRequestGroup()
	asked.Group = group
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.Groups = group, append(req.Groups, asked)
	committed := make(map[string]map[int32]Committed)
	res := request[*kmsg.OffsetFetchResponse](c, req)
	for _, g := range res.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			c.tb.Fatalf("fetch the offsets of group %q: %v", group, err)
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if committed[t.Topic] == nil {
					committed[t.Topic] = make(map[int32]Committed)
				}
				metadata := ""
				if p.Metadata != nil {
					metadata = *p.Metadata
				}
				committed[t.Topic][p.Partition] = Committed{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: metadata}
			}
		}
	}
	return committed
}
