package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// collectPatience is how long the collector waits for further records at the end of a
// run.
const collectPatience = 30 * time.Second

// collector writes the values that arrive at the output topic into a file.
type collector struct {
	client *kgo.Client
	topic  string
	path   string
	file   *os.File
	out    *bufio.Writer
	ends   chan map[int32]int64 // gets the offsets to stop at
	done   chan struct{}        // closed when the file is complete, or err is set
	err    error
}

// startCollector starts to collect the records that arrive at the topic from now on.
func startCollector(ctx context.Context, c *cluster, topic, path string) (*collector, error) {
	starts, err := c.offsets(ctx, topic, kafka.Latest, config.ReadUncommitted)
	if err != nil {
		return nil, fmt.Errorf("output topic: %w", err)
	}
	from := map[int32]kgo.Offset{}
	for partition, offset := range starts {
		from[partition] = kgo.NewOffset().At(offset)
	}
	client, err := kgo.NewClient(append(c.kgoOptions(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The collector has to pass the offsets of transactions' markers, too.
		kgo.KeepControlRecords(),
		kgo.FetchMaxWait(250*time.Millisecond),
		// A new leader should not delay the end of a run for long.
		kgo.MetadataMinAge(500*time.Millisecond),
	)...)
	if err != nil {
		return nil, fmt.Errorf("collect topic %q: %w", topic, err)
	}
	file, err := os.Create(path)
	if err != nil {
		client.Close()
		return nil, err
	}
	col := &collector{
		client: client, topic: topic, path: path, file: file,
		out:  bufio.NewWriterSize(file, 256<<10),
		ends: make(chan map[int32]int64, 1), done: make(chan struct{}),
	}
	go func() {
		defer close(col.done)
		col.err = errors.Join(col.collect(ctx, starts), col.close())
	}()
	return col, nil
}

// failed returns the error that has ended the collector early, or nil.
func (col *collector) failed() error {
	select {
	case <-col.done:
		return col.err
	default:
		return nil
	}
}

// finish waits until the file has all records that the topic holds now.
func (col *collector) finish(ctx context.Context, c *cluster) error {
	ends, err := c.offsets(ctx, col.topic, kafka.Latest, config.ReadCommitted)
	if err != nil {
		return fmt.Errorf("complete %s: output topic: %w", col.path, err)
	}
	col.ends <- ends
	<-col.done
	return col.err
}

func (col *collector) close() error {
	col.client.Close()
	if err := errors.Join(col.out.Flush(), col.file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", col.path, err)
	}
	return nil
}

// collect writes records until it has written all before the ends. next holds the next
// offset of each partition.
func (col *collector) collect(ctx context.Context, next map[int32]int64) error {
	var ends map[int32]int64
	moved := time.Now()
	for ends == nil || !reached(next, ends) {
		poll, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		fetches := col.client.PollFetches(poll)
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		written, err := col.write(fetches, next)
		if err != nil {
			return err
		}
		if written > 0 {
			moved = time.Now()
		}
		select {
		case ends = <-col.ends:
			moved = time.Now()
		default:
		}
		if ends != nil && time.Since(moved) > collectPatience {
			return fmt.Errorf("complete %s: records are missing, but topic %q has returned none for %s", col.path, col.topic, collectPatience)
		}
	}
	return nil
}

// write writes the fetched values and moves next past them.
func (col *collector) write(fetches kgo.Fetches, next map[int32]int64) (records int, err error) {
	for _, e := range fetches.Errors() {
		if !errors.Is(e.Err, context.DeadlineExceeded) {
			return 0, fmt.Errorf("collect topic %q partition %d: %w", e.Topic, e.Partition, e.Err)
		}
	}
	for it := fetches.RecordIter(); !it.Done(); records++ {
		r := it.Next()
		next[r.Partition] = r.Offset + 1
		if r.Attrs.IsControl() {
			continue
		}
		_, _ = col.out.Write(r.Value) // the next line returns the error
		if err := col.out.WriteByte('\n'); err != nil {
			return 0, fmt.Errorf("write %s: %w", col.path, err)
		}
	}
	return records, nil
}

// reached reports whether every partition of want is at its offset or beyond it.
func reached(at, want map[int32]int64) bool {
	for partition, offset := range want {
		if have, ok := at[partition]; !ok || have < offset {
			return false
		}
	}
	return true
}
