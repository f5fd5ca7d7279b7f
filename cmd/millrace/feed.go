package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// feedBuffer is how many lines may wait for the broker's acknowledgement. The feeder
// reads no further line while so many wait.
const feedBuffer = 10_000

// feeder writes a file's lines into the input topic.
type feeder struct {
	lines *lineReader
	topic string
	// fed counts the lines that the broker has acknowledged.
	fed atomic.Int64
}

// run feeds the whole file. It returns when all in-sync replicas have acknowledged all
// lines, or with the first error.
func (f *feeder) run(ctx context.Context, c *cluster) error {
	client, err := kgo.NewClient(append(c.kgoOptions(),
		kgo.DefaultProduceTopic(f.topic),
		kgo.MaxBufferedRecords(feedBuffer),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(64<<10, false, false, nil)),
	)...)
	if err != nil {
		return fmt.Errorf("feed topic %q: %w", f.topic, err)
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	for {
		line, err := f.lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		f.produce(ctx, client, line, fail)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if err := client.Flush(ctx); err != nil {
		return context.Cause(ctx)
	}
	return context.Cause(ctx)
}

func (f *feeder) produce(ctx context.Context, client *kgo.Client, value []byte, fail context.CancelCauseFunc) {
	number, size := f.lines.line, len(value)
	client.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
		if err != nil {
			fail(fmt.Errorf("feed line %d of %s (%d bytes) into topic %q: %w", number, f.lines.path, size, f.topic, err))
			return
		}
		f.fed.Add(1)
	})
}
