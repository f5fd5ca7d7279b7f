package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// collectPatience is how long the collector waits for further records at the end of a
// run.
const collectPatience = 30 * time.Second

// collectBytes bounds the records that a collector fetches ahead.
const collectBytes = 16 << 20

// collection is a topic whose records go into a file.
type collection struct {
	flag, role string // such as --output-file and "output topic"
	cluster    *cluster
	topic      string
	path       string
	format     recordFormat
	keep       bool // the records stay in an embedded broker, for the summary
}

// collector writes the records that arrive at a topic into a file.
type collector struct {
	collection
	client *kgo.Client
	file   io.Closer
	out    *bufio.Writer
	ends   chan map[int32]int64 // gets the offsets to stop at
	done   chan struct{}        // closed when the file is complete, or err is set
	err    error
}

// startCollector starts to collect the records that arrive at the topic from now on.
func startCollector(ctx context.Context, what collection, stdout io.Writer) (*collector, error) {
	starts, err := what.cluster.offsets(ctx, what.topic, kafka.Latest, config.ReadUncommitted)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", what.flag, what.role, err)
	}
	from := map[int32]kgo.Offset{}
	for partition, offset := range starts {
		from[partition] = kgo.NewOffset().At(offset)
	}
	client, err := kgo.NewClient(append(what.cluster.kgoOptions(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{what.topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The collector has to pass the offsets of transactions' markers, too.
		kgo.KeepControlRecords(),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxBytes(collectBytes),
		// A new leader should not delay the end of a run for long.
		kgo.MetadataMinAge(500*time.Millisecond),
	)...)
	if err != nil {
		return nil, fmt.Errorf("%s: collect topic %q: %w", what.flag, what.topic, err)
	}
	file, err := createOutput(what.path, stdout)
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("%s: %w", what.flag, err)
	}
	col := &collector{
		collection: what, client: client, file: file,
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
func (col *collector) finish(ctx context.Context) error {
	ends, err := col.cluster.offsets(ctx, col.topic, kafka.Latest, config.ReadCommitted)
	if err != nil {
		return fmt.Errorf("complete %s: %s: %w", col.path, col.role, err)
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
	if _, err := col.out.WriteString(col.format.head); err != nil {
		return fmt.Errorf("write %s: %w", col.path, err)
	}
	var ends map[int32]int64
	moved := time.Now()
	for ends == nil || !reached(next, ends) {
		poll, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		fetches := col.client.PollFetches(poll)
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		written, err := col.writeAll(fetches, next)
		if err != nil {
			return err
		}
		if written > 0 {
			moved = time.Now()
			col.forget(next)
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

// writeAll writes the fetched records and moves next past them.
func (col *collector) writeAll(fetches kgo.Fetches, next map[int32]int64) (records int, err error) {
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
		if err := col.format.write(col.out, r); err != nil {
			return 0, fmt.Errorf("write %s: %w", col.path, err)
		}
	}
	if records == 0 {
		return 0, nil
	}
	// Somebody may be watching.
	if err := col.out.Flush(); err != nil {
		return 0, fmt.Errorf("write %s: %w", col.path, err)
	}
	return records, nil
}

// forget deletes the collected records from the memory of an embedded broker.
func (col *collector) forget(next map[int32]int64) {
	if broker := col.cluster.embedded; broker != nil && !col.keep {
		for partition, offset := range next {
			deleteBelow(broker, col.topic, partition, offset)
		}
	}
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
