package main

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// pollInterval is how often the command asks the workers for their progress.
const pollInterval = 100 * time.Millisecond

// work shows the progress until it is time to stop the workers: when stop is closed,
// when the workers or a collector have ended, when the supply fails, or when the
// run is drained. It reports whether the run is drained; the error says what failed
// outside the workers.
func (s *session) work(ctx context.Context, stop <-chan struct{}, supply *supply) (drained bool, err error) {
	var target map[int32]int64 // nil until the supply has it
	supplied := supply.done
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			s.screen.Say("Draining: the workers finish the records that they have read. Press Ctrl-C again to stop at once.")
			return false, nil
		case <-s.workers.done:
			return false, nil
		case err := <-s.broken:
			return false, err
		case <-supplied:
			if supply.err != nil {
				return false, supply.err
			}
			target, supplied = supply.target, nil
		case <-tick.C:
			s.showProgress(ctx)
			if s.mayFeed() {
				supply.openFeeding()
			}
			if target != nil && reached(s.group.settled(s.last.watermarks), target) {
				s.finished = time.Now()
				return true, nil
			}
		}
	}
}

// stop drains the workers. It returns the workers' error, or an errInterrupted if the
// user did not wait.
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
			s.showProgress(ctx)
		}
	}
}

// showProgress asks the workers for their progress and shows it.
func (s *session) showProgress(ctx context.Context) {
	s.last = s.observer.look(ctx)
	s.settled.Store(s.last.totals.RecordsSettled)
	now := time.Now()
	s.tidy(now)
	s.screen.Progress(s.progress(now))
}

// mayFeed reports whether the workers would read records that are fed now. Workers
// that start at the end of the topic must have found that end before.
func (s *session) mayFeed() bool {
	return s.cfg.Input.StartOffset != config.Latest || len(s.last.positions) == s.partitions
}
