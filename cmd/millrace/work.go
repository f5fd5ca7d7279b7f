package main

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// pollInterval is how often the workers are asked how far they are.
const pollInterval = 100 * time.Millisecond

// work feeds the input and shows the progress until it is time to stop the
// workers. It reports whether all was settled that --until-drained waits for; the
// error is what went wrong outside the workers.
func (s *session) work(drain, ctx context.Context) (drained bool, err error) {
	feeding, cancel := context.WithCancel(drain)
	defer cancel()
	var fed chan error
	var target map[int32]int64 // nil until it is known, or for ever
	if s.feeder == nil && s.opts.untilDrained {
		if target, err = s.drainTarget(drain); err != nil {
			return false, err
		}
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-drain.Done():
			s.screen.Say("Draining: what has been read is finished first. Ctrl-C again stops at once.")
			return false, nil
		case <-s.workers.done:
			return false, nil
		case <-s.collectorDone():
			return false, s.collector.err
		case err := <-fed:
			if err == nil && s.opts.untilDrained {
				target, err = s.drainTarget(drain)
			}
			if err != nil {
				return false, err
			}
		case <-tick.C:
			s.last = s.observer.look(ctx)
			s.screen.Progress(s.progress(time.Now()))
			if fed == nil && s.feeder != nil && s.mayFeed() {
				fed = make(chan error, 1)
				go func() { fed <- s.feeder.run(feeding, s.clusters.input) }()
			}
			if target != nil && reached(s.last.watermarks, target) {
				s.finished = time.Now()
				return true, nil
			}
		}
	}
}

// stop drains the workers. It returns why they failed, or an errInterrupted if
// the user did not wait.
func (s *session) stop(ctx context.Context) error {
	s.last = s.observer.look(ctx)
	s.workers.stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.abort:
			s.workers.kill()
			return fmt.Errorf("%w: stopped without draining", errInterrupted)
		case <-s.workers.done:
			if s.finished.IsZero() {
				s.finished = time.Now()
			}
			s.last = s.observer.lookBack()
			return s.workers.err
		case <-tick.C:
			s.last = s.observer.look(ctx)
			s.screen.Progress(s.progress(time.Now()))
		}
	}
}

// drainTarget returns the end offsets of the partitions that hold records.
func (s *session) drainTarget(ctx context.Context) (map[int32]int64, error) {
	input := s.cfg.Input
	ends, err := s.clusters.input.offsets(ctx, input.Topic, kafka.Latest, input.IsolationLevel)
	if err != nil {
		return nil, fmt.Errorf("--until-drained: %w", err)
	}
	starts, err := s.clusters.input.offsets(ctx, input.Topic, kafka.Earliest, input.IsolationLevel)
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

// mayFeed reports whether the workers would read what is fed now. Those that
// start at the end of the topic must have found that end before.
func (s *session) mayFeed() bool {
	return s.cfg.Input.StartOffset != config.Latest || len(s.last.positions) == s.partitions
}

// collectorDone is closed when the collector ends; it is to end last.
func (s *session) collectorDone() <-chan struct{} {
	if s.collector == nil {
		return nil
	}
	return s.collector.done
}
