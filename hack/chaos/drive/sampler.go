package drive

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/cluster"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest/committed"
)

// sampler samples the group's commits, one sample after the other.
type sampler struct {
	cluster *cluster.Cluster
	names   names
	checker *check.Checker
	// transactions says to look at open transactions too.
	transactions bool

	mu   sync.Mutex
	last check.Sample
}

// sampleInterval is the time between two samples.
const sampleInterval = 400 * time.Millisecond

// run takes samples until ctx ends. While Kafka does not answer there are none.
func (s *sampler) run(ctx context.Context) {
	for wait(ctx, sampleInterval) == nil {
		_ = s.sample(ctx)
		if s.transactions {
			s.lookAtTransactions(ctx)
		}
	}
}

func (s *sampler) lookAtTransactions(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	open, err := s.cluster.OpenTransactions(ctx)
	if err != nil {
		return // the next look shows it
	}
	for _, t := range open {
		s.checker.OpenTransaction(t.ID, t.Since, time.Now())
	}
}

// latest returns the last sample.
func (s *sampler) latest() check.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// sample takes one sample: the commits first, the ends after them.
func (s *sampler) sample(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	sample := check.Sample{Commits: map[int32]check.Commit{}}
	offsets, err := s.cluster.Committed(ctx, s.names.Group, s.names.Input)
	if err != nil {
		return err
	}
	sample.At = time.Now()
	for p, o := range offsets {
		settled, err := committed.Settled(o.Metadata, o.At)
		if err != nil {
			s.checker.Violate(check.CommitAhead, sample.At, "partition %d: the commit of offset %d: %v", p, o.At, err)
		}
		sample.Commits[p] = check.Commit{Offset: o.At, Settled: settled}
	}
	if sample.OutputEnds, err = s.ends(ctx, s.names.Output); err != nil {
		return err
	}
	if sample.LettersEnds, err = s.ends(ctx, s.names.DeadLetter); err != nil {
		return err
	}
	s.checker.Sample(sample)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = sample
	return nil
}

func (s *sampler) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	all, err := s.cluster.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for p, e := range all {
		ends[p] = e.End
	}
	return ends, nil
}
