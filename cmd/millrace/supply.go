package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// supply completes the records that a run works on: it feeds the input file, or the copy of
// a dry run, into the input topic and, for --until-drained, finds the offsets where the run may end.
type supply struct {
	feeder  *feeder // nil without records to feed
	cluster *cluster
	input   config.Input
	drain   bool // --until-drained

	mayFeed     chan struct{}
	openFeeding func() // closes mayFeed, once

	// done is closed when the topic holds all records of the file, or when err is
	// set. target is set before: the offset to reach in each partition, nil without
	// --until-drained.
	done   chan struct{}
	target map[int32]int64
	err    error
}

func newSupply(s *session) *supply {
	p := &supply{
		feeder:  s.feeder,
		cluster: s.clusters.input,
		input:   s.cfg.Input,
		drain:   s.opts.untilDrained,
		mayFeed: make(chan struct{}),
		done:    make(chan struct{}),
	}
	p.openFeeding = sync.OnceFunc(func() { close(p.mayFeed) })
	return p
}

// run does all of it, and closes done. It feeds nothing before openFeeding is called.
func (p *supply) run(ctx context.Context) {
	defer close(p.done)
	if p.feeder != nil {
		select {
		case <-p.mayFeed:
		case <-ctx.Done():
			p.err = ctx.Err()
			return
		}
		if p.err = p.feeder.run(ctx, p.cluster); p.err != nil {
			return
		}
	}
	if p.drain {
		p.target, p.err = p.drainTarget(ctx)
	}
}

// drainTarget returns the end offsets of the partitions that hold records.
func (p *supply) drainTarget(ctx context.Context) (map[int32]int64, error) {
	ends, err := p.cluster.offsets(ctx, p.input.Topic, kafka.Latest, p.input.IsolationLevel)
	if err != nil {
		return nil, fmt.Errorf("--until-drained: %w", err)
	}
	starts, err := p.cluster.offsets(ctx, p.input.Topic, kafka.Earliest, p.input.IsolationLevel)
	if err != nil {
		return nil, fmt.Errorf("--until-drained: %w", err)
	}
	for partition, start := range starts {
		if ends[partition] <= start {
			delete(ends, partition)
		}
	}
	return ends, nil
}
